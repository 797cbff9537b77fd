import { assertEquals } from "@std/assert";
import { SyncPacing } from "../../src/persistence/sync_pacing.ts";

/** A host whose time and clients a test sets. */
class Host {
  now = 0;
  waitingClients = 0;

  monotonic(): number {
    return this.now;
  }
}

/** Lets the time pass after which nobody is waited for. */
function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10));
}

/** A sync of `ms` for `clients`, which are let go then. */
function sync(host: Host, pacing: SyncPacing, clients: number, ms: number): void {
  host.waitingClients = clients;
  pacing.began();
  host.now += ms;
  pacing.ended();
  host.waitingClients = 0;
}

Deno.test("the first client is served at once, and later ones when all are back", async () => {
  const host = new Host();
  const pacing = new SyncPacing(host);
  const begun: number[] = [];
  const begin = (): void => {
    begun.push(host.waitingClients);
  };
  host.waitingClients = 1;
  pacing.whenReady(begin);
  assertEquals(begun, [1]);
  sync(host, pacing, 10, 1);
  host.waitingClients = 4;
  pacing.whenReady(begin);
  pacing.whenReady(begin);
  assertEquals(begun, [1]);
  host.waitingClients = 10;
  pacing.whenReady(begin);
  assertEquals(begun, [1, 10]);
  await settle();
  assertEquals(begun, [1, 10]);
});

Deno.test("nobody waits for clients that don't come back, nor after it is called off", async () => {
  const host = new Host();
  const pacing = new SyncPacing(host);
  const begun: number[] = [];
  const begin = (): void => {
    begun.push(host.waitingClients);
  };
  sync(host, pacing, 10, 1);
  host.waitingClients = 4;
  pacing.whenReady(begin);
  assertEquals(begun, []);
  await settle();
  assertEquals(begun, [4]);
  // For a while they aren't waited for at all.
  sync(host, pacing, 10, 1);
  host.waitingClients = 3;
  pacing.whenReady(begin);
  assertEquals(begun, [4, 3]);
  for (let round = 0; round < 16; round++) sync(host, pacing, 10, 1);
  host.waitingClients = 2;
  pacing.whenReady(begin);
  assertEquals(begun, [4, 3]);
  pacing.cancel();
  await settle();
  assertEquals(begun, [4, 3]);
});

Deno.test("where syncs take far less time than clients to come back, they overlap", async () => {
  const host = new Host();
  const pacing = new SyncPacing(host);
  let begun = 0;
  const begin = (): void => {
    begun++;
  };
  for (let round = 0; round < 20; round++) {
    sync(host, pacing, 10, 0.1);
    host.now += 1;
    host.waitingClients = 10;
    pacing.whenReady(begin);
    await settle();
  }
  sync(host, pacing, 10, 0.1);
  host.waitingClients = 1;
  begun = 0;
  pacing.whenReady(begin);
  assertEquals(begun, 1);
});
