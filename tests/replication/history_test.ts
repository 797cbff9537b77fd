import { assert, assertEquals } from "@std/assert";
import { NO_REPLICATION_ID, ReplicationHistory } from "../../src/replication/history.ts";

function begin(): ReplicationHistory {
  let drawn = 0;
  return new ReplicationHistory(() => `id${++drawn}`);
}

Deno.test("a history is shared by who has its id, at any offset", () => {
  const history = begin();
  history.offset = 10;
  assert(history.shares("id1", 10));
  assert(!history.shares("other", 0));
  assert(!history.shares(NO_REPLICATION_ID, 0), "nothing is shared with who has nothing");
});

Deno.test("who branches off shares what was before, to the byte", () => {
  const history = begin();
  history.offset = 10;
  history.branch();
  assertEquals([history.id, history.secondId, history.secondEnd], ["id2", "id1", 10]);
  history.offset = 20;
  assert(history.shares("id2", 20));
  assert(history.shares("id1", 10));
  assert(!history.shares("id1", 11));
});

Deno.test("who takes over another's data shares nothing of its own", () => {
  const history = begin();
  history.offset = 10;
  history.branch();
  history.adopt("theirs", 5);
  assertEquals([history.id, history.offset, history.secondId], ["theirs", 5, NO_REPLICATION_ID]);
  assert(!history.shares("id1", 1));
  assert(!history.shares("id2", 1));
});
