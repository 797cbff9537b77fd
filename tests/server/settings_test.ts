/** The table of settings and their values, beside those of Redis. */

import { assertEquals, assertThrows } from "@std/assert";
import { findSetting, SETTINGS, Settings, SettingsError } from "../../src/server/settings.ts";
import {
  parseReply,
  type ReferenceRedis,
  startReferenceRedis,
} from "../support/reference_redis.ts";

/** What the reference server was told by its command line, or finds out from its machine. */
const OF_THE_REFERENCE = new Set(["port", "unixsocket", "save", "dir", "enable-debug-command"]);

/** Settings whose changes do something in Redis that depends on the machine or takes a while. */
const NOT_COMPARED = new Set([
  ...OF_THE_REFERENCE,
  "activedefrag", // needs another allocator
  "appendonly", // starts to write a file
  "bind", // listens anew
  "watchdog-period", // is at least 200
  "maxclients", // has the limit of the system
  "oom-score-adj", // needs rights
]);

const VALUES = [
  ...["yes", "NO", "maybe", "", " ", "5", "+5", "05", "-1", "-0", "0", "100", "101", "65536"],
  ...["1000000", "99999999999", "9223372036854775807", "9223372036854775808", "1.5", "0x10"],
  ...["1gb", "1GB", "10k", "64kb", "5%", "101%", "-5%", "1x", "20000000000gb", "2000000"],
  ...["a/b", "a b", "local", "default", "nosave", "save force", "save nosave", "allkeys-LRU"],
  ...["always", "debug", "optional", "hostname", "swapdb", "clients", "KEA", "Kx", "AKEn", "Q"],
  ...["50 99.9 100", "1 2 3", "1 2 3333", "50.123456789", "normal 1mb 1k 5", "replica 1 2 3 x 1"],
  ...["PUBSUB 1 1 1 normal 2 2 2", "normal 1 1 -1", "{title} x", "{nope}", "a_b", "a.b-c"],
];

async function referenceValues(redis: ReferenceRedis): Promise<Map<string, string>> {
  const { items } = parseReply(await redis.ask("CONFIG", "GET", "*"));
  const values = new Map<string, string>();
  for (let index = 0; index < items.length; index += 2) {
    values.set(items[index].text!, items[index + 1].text!);
  }
  return values;
}

function change(settings: Settings, name: string, value: string): string {
  try {
    settings.change([[name, value]]);
    return "+OK\r\n";
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return `-ERR ${error.message}\r\n`;
  }
}

Deno.test("settings: names and defaults are those of Redis", async () => {
  await using redis = await startReferenceRedis();
  if (redis === undefined) return;
  const theirs = await referenceValues(redis);
  const ours = new Map(new Settings().matching(["*"]));
  assertEquals([...ours.keys()].sort(), [...theirs.keys()].sort());
  for (const [name, value] of theirs) {
    if (!OF_THE_REFERENCE.has(name)) assertEquals(ours.get(name), value, name);
  }
});

Deno.test("settings: each takes, shows and refuses what Redis does, in its words", async () => {
  await using redis = await startReferenceRedis("--enable-protected-configs", "yes");
  if (redis === undefined) return;
  const settings = new Settings({ "enable-protected-configs": "yes" });
  const hidden = SETTINGS.filter((setting) => setting.hidden).map(({ name }) => name);
  for (const name of [...(await referenceValues(redis)).keys(), ...hidden]) {
    // A setting of TLS is refused where all of them together make no sense.
    if (NOT_COMPARED.has(name) || name.startsWith("tls-")) continue;
    for (const value of VALUES) {
      const case_ = `${name} '${value}'`;
      const theirs = await redis.ask("CONFIG", "SET", name, value);
      assertEquals(change(settings, name, value), theirs, case_);
      const shown = parseReply(await redis.ask("CONFIG", "GET", name)).items[1].text;
      assertEquals(settings.matching([name])[0][1], shown, case_);
    }
    const preset = new Settings().text(findSetting(name)!.name);
    await redis.ask("CONFIG", "SET", name, preset);
    change(settings, name, preset);
  }
});

Deno.test("settings: several are set or none", () => {
  const settings = new Settings();
  const undo = settings.change([["timeout", "5"], ["SLOWLOG-max-len", "7"]]);
  assertEquals(settings.matching(["timeout", "slowlog-max-len"]), [
    ["timeout", "5"],
    ["slowlog-max-len", "7"],
  ]);
  undo();
  assertEquals([settings.number("timeout"), settings.number("slowlog-max-len")], [0, 128]);
  for (
    const [pairs, reason] of [
      [[["timeout", "5"], ["hz", "x"]], "'hz') - argument couldn't be parsed into an integer"],
      [[["timeout", "5"], ["TIMEOUT", "6"]], "'TIMEOUT') - duplicate parameter"],
      [[["timeout", "5"], ["databases", "6"]], "'databases') - can't set immutable config"],
      [[["timeout", "x"], ["nope", "6"]], "CONFIG SET - 'nope'"],
    ] as [[string, string][], string][]
  ) {
    assertThrows(() => settings.change(pairs), SettingsError, reason);
    assertEquals(settings.number("timeout"), 0);
  }
});

Deno.test("settings: guarded ones need leave", () => {
  const settings = new Settings();
  for (const name of ["dir", "dbfilename"]) {
    assertThrows(
      () => settings.change([[name, "no"]], false),
      SettingsError,
      `CONFIG SET failed (possibly related to argument '${name}') - can't set protected config`,
    );
  }
  settings.change([["dbfilename", "no"]], true);
  assertEquals(settings.text("dbfilename"), "no");
});

Deno.test("settings: what would do harm if it were ignored is refused", () => {
  const settings = new Settings({ "daemonize": "yes" });
  assertEquals(settings.refused()?.name, "daemonize");
  assertEquals(new Settings({ "daemonize": "no" }).refused(), undefined);
  assertThrows(() => settings.change([["tls-port", "6380"]]), SettingsError, "'tls-port'");
});

Deno.test("settings: a share of another amount", () => {
  const settings = new Settings({ "maxmemory-clients": "5%" });
  assertEquals(settings.share("maxmemory-clients", 2000), 100);
  settings.change([["maxmemory-clients", "1kb"]]);
  assertEquals(settings.share("maxmemory-clients", 2000), 1024);
});

Deno.test("settings: each can have its default, which keeps its spelling", () => {
  for (const setting of SETTINGS) {
    // To be nobody's replica has a spelling of its own.
    if (setting.name === "replicaof") continue;
    const words = setting.manyWords ? setting.default.split(" ") : [setting.default];
    assertEquals(setting.read(words, setting.default), setting.default, setting.name);
  }
});
