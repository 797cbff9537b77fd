import { assert, assertEquals } from "@std/assert";
import { startMemoryServer } from "../support/memory_server.ts";
import { seededRandom } from "../support/random.ts";
import { parseReply } from "../support/reference_redis.ts";
import { restorePayload } from "../support/restore_payload.ts";
import { startSideBySide } from "../support/side_by_side.ts";

function bytesOf(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

/** The payload in a reply to DUMP. */
function payloadOf(reply: string): Uint8Array {
  return bytesOf(parseReply(reply).text!);
}

/** Strings at the edges of all forms. */
function strings(): string[] {
  // deno-fmt-ignore
  const numbers = [
    "0", "1", "-1", "127", "128", "-128", "-129", "32767", "32768", "-32768", "-32769", "2147483647", "2147483648",
    "-2147483648", "-2147483649", "9223372036854775807", "-9223372036854775808", "9223372036854775808", "00", "-0",
    "+1", "1.5", " 1", "12345678901", "",
  ];
  const texts = [1, 20, 21, 22, 44, 45, 63, 64, 300, 16383, 16384, 65535, 65536, 70000, 200000]
    .flatMap((length) => [
      "a".repeat(length),
      Array.from({ length }, (_, index) => String.fromCharCode(33 + (index * index) % 91)).join(""),
    ]);
  return [...numbers, ...texts];
}

Deno.test("DUMP gives the bytes that Redis gives, and each takes those of the other", async () => {
  await using servers = await startSideBySide(81);
  if (servers === undefined) return;
  const random = seededRandom(81);
  const noise = Array.from({ length: 60 }, (_, round) => {
    const letters = 1 + Math.floor(random() ** 2 * 90);
    const length = Math.floor(random() ** 2 * (round % 20 === 0 ? 100_000 : 3000));
    return Array.from({ length }, () => String.fromCharCode(32 + random() * letters)).join("");
  });
  for (const text of [...strings(), ...noise]) {
    await servers.same("SET", "key", text);
    const payload = payloadOf(await servers.same("DUMP", "key"));
    await servers.same("RESTORE", "back", "0", payload, "REPLACE");
    await servers.same("GET", "back");
    await servers.same("OBJECT", "ENCODING", "back");
  }
  // Text that became a number's, and one that stays a string's.
  for (
    const command of ["SET key 12", "APPEND key 3", "DUMP key", "SETRANGE key 0 -", "DUMP key"]
  ) {
    await servers.same(...command.split(" "));
  }
  await servers.same("DUMP", "none");
  assertEquals(await servers.connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("RESTORE checks its arguments in Redis' order and words", async () => {
  await using servers = await startSideBySide(82);
  if (servers === undefined) return;
  await servers.same("SET", "key", "hello");
  const good = payloadOf(await servers.same("DUMP", "key"));
  const broken = good.slice();
  broken[2] ^= 1;
  const newer = restorePayload([0, 1, 97], 11);
  const older = restorePayload([0, 1, 97], 6);
  const payloads = [good, broken, newer, older, new Uint8Array(0), good.subarray(0, 9), "hello"];
  const times = ["0", "100000", "-1", "x", "", "9223372036854775807", "9223372036854775808", "1.5"];
  // deno-fmt-ignore
  const options = [
    "", "REPLACE", "replace absttl", "ABSTTL", "IDLETIME", "IDLETIME 10", "IDLETIME -1", "IDLETIME x", "FREQ 10",
    "FREQ", "FREQ -1", "FREQ 256", "FREQ 255 REPLACE", "FREQ x", "FREQ 1 IDLETIME 1", "IDLETIME 1 FREQ 1",
    "IDLETIME 1 IDLETIME 2", "REPLACE REPLACE", "FOO", "IDLETIME 100 REPLACE ABSTTL",
  ];
  for (const payload of payloads) {
    for (const time of times) {
      for (const words of options) {
        const rest = words === "" ? [] : words.split(" ");
        await servers.same("RESTORE", "key", time, payload, ...rest);
        await servers.same("RESTORE", "other", time, payload, ...rest);
        await servers.same("DEL", "other");
      }
    }
  }
  await servers.same("SET", "key", "v");
  // A time that has passed: the key is gone, or never was there.
  await servers.same("RESTORE", "key", "1", good, "REPLACE", "ABSTTL");
  await servers.same("EXISTS", "key");
  await servers.same("RESTORE", "key", "1", good, "ABSTTL");
  await servers.same("EXISTS", "key");
  await servers.same("RESTORE", "key", "4102444800000", good, "ABSTTL");
  await servers.same("PEXPIRETIME", "key");
  await servers.same("RESTORE", "key", "0", good, "REPLACE", "IDLETIME", "1000");
  const idle = await servers.both("OBJECT", "IDLETIME", "key");
  assertEquals(idle[1], ":1000\r\n");
  await servers.same("RESTORE", "key", "0", good, "REPLACE", "IDLETIME", "9223372036854775807");
});

Deno.test("RESTORE takes all forms of a length and a string, and refuses others as Redis does", async () => {
  await using servers = await startSideBySide(83);
  if (servers === undefined) return;
  const bodies: number[][] = [
    [0, 0x40, 2, 97, 98],
    [0, 0x80, 0, 0, 0, 2, 97, 98],
    [0, 0x81, 0, 0, 0, 0, 0, 0, 0, 2, 97, 98],
    [0, 0x82, 0, 0, 0, 2, 97, 98],
    [0, 0xc0, 0x85],
    [0, 0xc1, 0x85, 0xff],
    [0, 0xc2, 0x85, 0xff, 0xff, 0xff],
    [0, 0xc3, 5, 20, 0x00, 97, 0xe0, 10, 0],
    [0, 0xc3, 5, 21, 0x00, 97, 0xe0, 10, 0],
    [0, 0xc3, 5, 19, 0x00, 97, 0xe0, 10, 0],
    [0, 0xc3, 2, 2, 0x20, 0],
    [0, 0xc3, 0, 0],
    [0, 0xc3, 3, 0, 0x20, 0, 9],
    [0, 0xc3, 2, 1, 0x20, 0],
    [0, 0xc4, 1, 97],
    [0, 0xff],
    [20, 0],
    [8, 0],
    [250, 0],
    [0, 2, 97, 98, 1, 2, 3],
  ];
  for (const body of bodies) {
    const payload = restorePayload(body);
    await servers.same("RESTORE", "key", "0", payload, "REPLACE");
    await servers.same("GET", "key");
    await servers.same("OBJECT", "ENCODING", "key");
    await servers.same("DEL", "key");
  }
});

Deno.test("RESTORE refuses types that it doesn't know, as Redis does, and changes nothing", async () => {
  await using servers = await startSideBySide(84);
  if (servers === undefined) return;
  await servers.same("SET", "key", "v");
  for (const type of [6, 7, 8, 20, 21, 100, 200, 254, 255]) {
    await servers.same("RESTORE", "key", "0", restorePayload([type, 1, 1, 97]), "REPLACE");
  }
  await servers.same("GET", "key");
});

Deno.test("RESTORE of anything: an answer, no more memory than that takes, and all in order", async () => {
  await using machine = await startMemoryServer(85);
  const connection = await machine.connect();
  const random = seededRandom(85);
  const { arena } = machine.server.keyspace;
  let restored = 0;
  for (let round = 0; round < 3000; round++) {
    let body = Array.from(
      { length: Math.floor(random() ** 3 * 60) },
      () => Math.floor(random() * 256),
    );
    // Mostly the start of a string, so that there is something to go wrong later.
    if (random() < 0.8) {
      const forms = [[0], [0, 0xc3], [0, 0xc0 + Math.floor(random() * 4)], [0, 0x80], [
        0,
        0x81,
        0,
        0,
        0,
        0,
      ]];
      body = [...forms[Math.floor(random() * forms.length)], ...body];
    }
    const used = arena.usedBytes;
    const reply = await connection.ask("RESTORE", "key", 0, restorePayload(body), "REPLACE");
    if (reply === "OK") restored++;
    else assert(/^-ERR (Bad data format|values of type)/.test(String(reply)), String(reply));
    assert(arena.usedBytes - used < 90 * 80, `${body}`);
    if (round % 100 === 0) assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
  }
  assert(restored > 100, `${restored}`);
  assertEquals(await connection.ask("DEBUG", "CHECK"), "OK");
});

Deno.test("RESTORE goes to the journal with the time at which it expires", async () => {
  await using machine = await startMemoryServer(86);
  const connection = await machine.connect();
  await connection.ask("SET", "key", "7");
  const written: string[] = [];
  machine.server.journal.listen((bytes) => {
    const text = String.fromCharCode(...bytes);
    written.push(text.replace(/[*$]\d+\r\n/g, "").replace(/\r\n/g, " "));
  });
  const payload = restorePayload([0, 0xc0, 7]);
  const shown = String.fromCharCode(...payload);
  const check = async (words: (string | number | Uint8Array)[], expected: string) => {
    assertEquals(await connection.ask(...words), "OK");
    assertEquals(written.splice(0).join("").replace("SELECT 0 ", ""), expected);
  };
  const now = machine.clock.now();
  await check(["RESTORE", "a", 0, payload], `RESTORE a 0 ${shown} `);
  await check(
    ["RESTORE", "b", 5, payload, "REPLACE"],
    `RESTORE b ${now + 5} ${shown} REPLACE ABSTTL `,
  );
  await check(
    ["RESTORE", "c", now + 9, payload, "ABSTTL"],
    `RESTORE c ${now + 9} ${shown} ABSTTL `,
  );
  await check(["RESTORE", "a", 1, payload, "ABSTTL", "REPLACE"], "DEL a ");
  await check(["RESTORE", "a", 1, payload, "ABSTTL", "REPLACE"], "");
});

Deno.test("a long string that is being sent by DUMP stays what it was", async () => {
  await using machine = await startMemoryServer(87);
  const connection = await machine.connect();
  const random = seededRandom(87);
  const long = Uint8Array.from({ length: 100_000 }, () => random() * 256);
  await connection.ask("SET", "key", long);
  connection.open = false;
  const dumped = connection.askRaw("DUMP", "key");
  await new Promise((resolve) => setTimeout(resolve, 0));
  const other = await machine.connect();
  await other.ask("SETRANGE", "key", 10, "changed");
  connection.readAll();
  const payload = payloadOf(await dumped);
  assertEquals(await other.ask("RESTORE", "back", 0, payload), "OK");
  const back = bytesOf(parseReply(await other.askRaw("GET", "back")).text!);
  assertEquals(back, long);
  assertEquals(await other.ask("DEBUG", "CHECK"), "OK");
});
