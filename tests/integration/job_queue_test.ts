import { assert, assertEquals } from "@std/assert";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import type { Server } from "../../src/server/mod.ts";
import { Ledger, QUEUE_LIBRARIES, type QueueClient, Worker } from "./job_queue.ts";
import { startQuietServer } from "./support.ts";

/** A lease that is never over. */
const LONG_MS = 600_000;

/** Adds so many jobs by each library in turn; their tasks. */
async function addJobs(clients: readonly QueueClient[], count: number): Promise<string[]> {
  const tasks = Array.from({ length: count }, (_, index) => `task ${index}`);
  await Promise.all(tasks.map((task, index) => clients[index % clients.length].add(task)));
  return tasks;
}

/** A client by each library, in a stack that has them go. */
async function connectAll(server: Server, stack: AsyncDisposableStack): Promise<QueueClient[]> {
  const clients: QueueClient[] = [];
  for (const library of QUEUE_LIBRARIES) {
    const client = await library.connect(server.port);
    stack.defer(() => client.crash());
    clients.push(client);
  }
  return clients;
}

/** Nothing is left of the jobs: no entry, nothing pending. */
async function assertEmpty(server: Server, client: QueueClient): Promise<void> {
  assertEquals(await client.ask("XLEN", "jobs"), 0);
  assertEquals(((await client.ask("XPENDING", "jobs", "workers")) as unknown[])[0], 0);
  const [first] = await client.ask("XINFO", "GROUPS", "jobs") as unknown[];
  const facts = Array.isArray(first) ? first : Object.entries(first as object).flat();
  assertEquals(facts[facts.indexOf("lag") + 1], 0);
  checkKeyspace(server.keyspace);
}

Deno.test("job queue: each job is done once, and every worker does some", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  const ledger = new Ledger();
  const busy = () => new Promise<void>((resolve) => setTimeout(resolve));
  for (let index = 0; index < 6; index++) {
    const library = QUEUE_LIBRARIES[index % QUEUE_LIBRARIES.length];
    const name = `worker ${index}`;
    stack.use(await Worker.start(name, library, server.port, ledger, busy, LONG_MS));
  }
  const tasks = await addJobs(clients, 300);
  await ledger.settled(tasks.length);
  assertEquals(ledger.done.map(([task]) => task).sort(), tasks.toSorted());
  assertEquals(new Set(ledger.done.map(([, worker]) => worker)).size, 6);
  await assertEmpty(server, clients[0]);
});

Deno.test("job queue: what a worker had when it crashed is done by others", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  await clients[0].prepare();
  const tasks = await addJobs(clients, 30);
  for (const [index, library] of QUEUE_LIBRARIES.entries()) {
    const unlucky = await library.connect(server.port);
    const taken = await unlucky.take(`unlucky ${index}`);
    assertEquals(taken.length, 5);
    await unlucky.crash();
  }
  const ledger = new Ledger();
  for (const [index, library] of QUEUE_LIBRARIES.entries()) {
    stack.use(await Worker.start(`worker ${index}`, library, server.port, ledger));
  }
  await ledger.settled(tasks.length);
  assertEquals(ledger.done.map(([task]) => task).sort(), tasks.toSorted());
  await assertEmpty(server, clients[1]);
  for (const index of QUEUE_LIBRARIES.keys()) {
    const left = await clients[0].ask(
      "XGROUP",
      "DELCONSUMER",
      "jobs",
      "workers",
      `unlucky ${index}`,
    );
    assertEquals(left, 0);
  }
});

Deno.test("job queue: a worker that comes back goes on with what it had", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  await clients[0].prepare();
  for (const [index, library] of QUEUE_LIBRARIES.entries()) {
    const tasks = await addJobs(clients, 4);
    const first = await library.connect(server.port);
    assertEquals((await first.take("worker")).map(({ task }) => task).sort(), tasks);
    await first.crash();
    // Nothing is claimed, since it isn't given to anybody else.
    const ledger = new Ledger();
    const again = QUEUE_LIBRARIES[(index + 1) % QUEUE_LIBRARIES.length];
    await using _worker = await Worker.start("worker", again, server.port, ledger);
    await ledger.settled(tasks.length);
    assertEquals(ledger.done.map(([task]) => task).sort(), tasks);
  }
  await assertEmpty(server, clients[2]);
});

Deno.test("job queue: what fails is tried again, and goes to the dead letters in the end", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  const ledger = new Ledger();
  for (const [index, library] of QUEUE_LIBRARIES.entries()) {
    stack.use(
      await Worker.start(
        `worker ${index}`,
        library,
        server.port,
        ledger,
        ({ task }, deliveries) => {
          if (task === "poison") throw new Error("never works");
          if (task === "flaky" && deliveries < 3) throw new Error("not yet");
        },
      ),
    );
  }
  const tasks = await addJobs(clients, 20);
  const poison = await clients[1].add("poison");
  await clients[2].add("flaky");
  await ledger.settled(tasks.length + 2);
  assertEquals(ledger.done.map(([task]) => task).sort(), [...tasks, "flaky"].sort());
  assertEquals(ledger.buried, ["poison"]);
  const attempts = (task: string) => ledger.failed.filter((one) => one === task).length;
  // A machine that has too much to do may have one claimed before it was tried.
  assert(attempts("poison") > 0 && attempts("poison") <= 3, `${ledger.failed}`);
  assert(attempts("flaky") <= 2, `${ledger.failed}`);
  const dead = await clients[0].ask("XRANGE", "jobs:dead", "-", "+") as [string, string[]][];
  assertEquals(dead.map(([, fields]) => fields), [["task", "poison", "id", poison]]);
  await assertEmpty(server, clients[0]);
});

Deno.test("job queue: a queue that is bounded drops its oldest jobs, and what was pending of them is told", async () => {
  await using server = await startQuietServer();
  await using stack = new AsyncDisposableStack();
  const clients = await connectAll(server, stack);
  await clients[0].prepare();
  await addJobs(clients, 10);
  const taken = await clients[0].take("worker");
  assertEquals(taken.length, 5);
  await clients[0].ask("XTRIM", "jobs", "MAXLEN", "3");
  assertEquals(await clients[0].history("worker"), []);
  const [next, claimed, gone] = await clients[0].ask(
    ...["XAUTOCLAIM", "jobs", "workers", "other", "0", "-"] as const,
  ) as [string, unknown[], string[]];
  assertEquals([next, claimed], ["0-0", []]);
  assertEquals(gone, taken.map(({ id }) => id));
  for (const client of clients) assert((await client.take("worker")).length <= 3);
  assertEquals(await clients[1].ask("XLEN", "jobs"), 3);
  checkKeyspace(server.keyspace);
});
