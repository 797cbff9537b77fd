import { assertEquals } from "@std/assert";
import { encodeRequest } from "../../src/protocol/request_writer.ts";
import { plain, startMemoryServer } from "../support/memory_server.ts";

const MEMBERS = 3000;

/** Sends `words` so often, `at once` in a pipeline, and gives all replies. */
async function inPipelines(
  words: readonly string[],
  times: number,
  atOnce: number,
): Promise<unknown[]> {
  await using memory = await startMemoryServer(3);
  const client = await memory.connect();
  const members = Array.from({ length: MEMBERS }, (_, index) => `member:${index}`);
  await client.ask("SADD", "set", ...members);
  await client.ask(
    "ZADD",
    "zset",
    ...members.flatMap((member, index) => [(index * 7919) % MEMBERS, member]),
  );
  await client.ask("SET", "text", "value");
  const request = encodeRequest(words);
  const replies: unknown[] = [];
  while (replies.length < times) {
    client.send(Uint8Array.from(Array.from({ length: atOnce }, () => [...request]).flat()));
    for (let reply = 0; reply < atOnce; reply++) replies.push(plain(await client.reply()));
  }
  assertEquals(await client.ask("DEBUG", "CHECK"), "OK");
  return replies;
}

for (
  const words of [["SPOP", "set"], ["ZPOPMIN", "zset"], ["ZPOPMAX", "zset"], ["ZPOPMIN", "set"], [
    "SPOP",
    "text",
  ]]
) {
  Deno.test(`${words.join(" ")}: a pipeline of pops takes what single ones take`, async () => {
    const single = await inPipelines(words, MEMBERS + 20, 1);
    assertEquals(await inPipelines(words, MEMBERS + 20, 20), single);
  });
}
