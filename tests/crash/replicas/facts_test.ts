import { assertEquals } from "@std/assert";
import { parseFacts, placeToPromote, type ReplicationFacts } from "./facts.ts";

const MASTER = "a".repeat(40);
const OTHER = "b".repeat(40);

function survivor(replicationId: string, offset: number): ReplicationFacts {
  const syncs = { full: 0, partial: 0, refused: 0 };
  const role = { isMaster: false, masterPort: undefined, onlineReplicas: 0 };
  return { ...role, replicationId, offset, isLinkUp: false, syncs };
}

Deno.test("a replica's offset is what it has applied", () => {
  const info = [
    "# Replication",
    "role:slave",
    "master_port:7000",
    "master_link_status:up",
    "slave_read_repl_offset:120",
    "slave_repl_offset:100",
    `master_replid:${MASTER}`,
    "master_repl_offset:90",
    "# Stats",
    "sync_full:3",
    "sync_partial_ok:2",
    "sync_partial_err:1",
  ].join("\r\n");
  assertEquals(parseFacts(info), {
    isMaster: false,
    masterPort: 7000,
    onlineReplicas: 0,
    replicationId: MASTER,
    offset: 100,
    isLinkUp: true,
    syncs: { full: 3, partial: 2, refused: 1 },
  });
  assertEquals(parseFacts(info.replace("role:slave", "role:master")).offset, 90);
});

Deno.test("of the master's history the one is promoted that has got furthest", () => {
  const survivors = [survivor(MASTER, 10), survivor(OTHER, 1000), survivor(MASTER, 20)];
  assertEquals(placeToPromote(survivors, MASTER), 2);
  assertEquals(placeToPromote(survivors, MASTER, true), 0);
  assertEquals(placeToPromote(survivors, OTHER), 1);
  assertEquals(placeToPromote(survivors.toReversed(), MASTER), 0);
});

Deno.test("nobody is promoted who is of another history", () => {
  assertEquals(placeToPromote([survivor(OTHER, 1000)], MASTER), undefined);
  assertEquals(placeToPromote([], MASTER), undefined);
});
