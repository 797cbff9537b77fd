import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { RandomSource } from "../fuzz/random_source.ts";
import { testSeed } from "../support/random.ts";
import { loggedCommands } from "./aof_files.ts";
import { checkWriter, type Evidence, type Verdict } from "./checker.ts";
import { sabotage, SABOTAGES, tear } from "./damage.ts";
import { Durability, EVERYSEC_SLACK_MS } from "./durability.ts";
import { applyOperation } from "./effects.ts";
import { copyStates, type KeyState, type KeyStates } from "./key_state.ts";
import { makeCommands } from "./commands.ts";
import type { Answer, Operation } from "./operation.ts";
import { Writer } from "./writer.ts";

const SENT_MS = 1_000_000;
const KILLED_MS = SENT_MS + 1000;

/** Operations of these commands; those that have answers are acknowledged. */
function sent(
  ...list: readonly { commands: readonly string[]; answers?: readonly Answer[] }[]
): Operation[] {
  return list.map(({ commands, answers }, index) => ({
    number: index + 1,
    commands: commands.map((words) => words.split(" ")),
    sentMs: SENT_MS,
    acknowledgedMs: answers === undefined ? undefined : SENT_MS + 1,
    answers,
  }));
}

function check(
  operations: readonly Operation[],
  floor: number,
  states: KeyStates,
  base: KeyStates = new Map(),
): Verdict {
  const evidence: Evidence = { base, operations, floor, killedMs: KILLED_MS };
  return checkWriter(evidence, { states, readMs: KILLED_MS + 1 });
}

function list(...items: string[]): KeyState {
  return { value: { kind: "list", items }, expiry: undefined };
}

function string(text: string, endsMs?: number): KeyState {
  const expiry = endsMs === undefined ? undefined : { earliestMs: endsMs, latestMs: endsMs };
  return { value: { kind: "string", text }, expiry };
}

function set(...members: string[]): KeyState {
  return { value: { kind: "set", pool: new Set(members), gone: 0 }, expiry: undefined };
}

const PUSHES = sent(
  { commands: ["RPUSH list 1"], answers: [1] },
  { commands: ["INCR counter"], answers: [1] },
  { commands: ["RPUSH list 3"], answers: [2] },
  { commands: ["INCR counter"] },
);

Deno.test("what is there is found to be the first operations", () => {
  const shown = (items: string[], counter: string): KeyStates =>
    new Map([["list", list(...items)], ["counter", string(counter)]]);
  assertEquals(check(PUSHES, 3, shown(["1", "3"], "1")), { survived: 3, fault: undefined });
  assertEquals(check(PUSHES, 3, shown(["1", "3"], "2")), { survived: 4, fault: undefined });
  assertEquals(check(PUSHES, 0, shown(["1"], "1")), { survived: 2, fault: undefined });
  assertEquals(check(PUSHES, 0, new Map()), { survived: 0, fault: undefined });
});

Deno.test("operations that were promised are missed", () => {
  const { fault } = check(PUSHES, 3, new Map([["list", list("1")], ["counter", string("1")]]));
  assertStringIncludes(fault!, "lost 1 operations");
  assertStringIncludes(fault!, "#3 RPUSH list 3");
});

Deno.test("a hole is seen, within a key and between two", () => {
  const within = check(PUSHES, 0, new Map([["list", list("3")], ["counter", string("1")]]));
  assertStringIncludes(within.fault!, "nothing that was sent leaves list");
  const between = check(PUSHES, 0, new Map([["list", list("1")], ["counter", string("2")]]));
  assertStringIncludes(between.fault!, "a hole");
  assertStringIncludes(between.fault!, "counter has #4 INCR counter");
  assertStringIncludes(between.fault!, "list lacks what was sent before it, #3 RPUSH list 3");
});

Deno.test("what nobody sent is seen", () => {
  const states: KeyStates = new Map([["list", list("1")], ["made", string("up")]]);
  assertStringIncludes(check(PUSHES, 0, states).fault!, "made");
  const base: KeyStates = new Map([["counter", string("7")]]);
  const twice: KeyStates = new Map([["counter", string("9")]]);
  assertStringIncludes(check(PUSHES.slice(0, 2), 0, twice, base).fault!, "counter");
});

Deno.test("half of a transaction is no state", () => {
  const pair = sent({ commands: ["RPUSH left 1", "RPUSH right 1"] });
  assertEquals(check(pair, 0, new Map()).fault, undefined);
  assertEquals(
    check(pair, 0, new Map([["left", list("1")], ["right", list("1")]])).fault,
    undefined,
  );
  assert(check(pair, 0, new Map([["left", list("1")]])).fault !== undefined);
  assert(check(pair, 0, new Map([["right", list("1")]])).fault !== undefined);
});

Deno.test("an SPOP without a reply may have taken any member, one with a reply only that", () => {
  const base: KeyStates = new Map([["set", set("1", "2", "3")]]);
  const told = sent({ commands: ["SPOP set"], answers: ["2"] });
  assertEquals(check(told, 1, new Map([["set", set("1", "3")]]), base).fault, undefined);
  assert(check(told, 1, new Map([["set", set("1", "2")]]), base).fault !== undefined);
  const untold = sent({ commands: ["SPOP set"] }, { commands: ["SADD set 4"] });
  const after = (...members: string[]) =>
    check(untold, 0, new Map([["set", set(...members)]]), base);
  assertEquals(after("1", "2"), { survived: 1, fault: undefined });
  assertEquals(after("2", "3", "4"), { survived: 2, fault: undefined });
  assert(after("1", "2", "9").fault !== undefined);
  assert(after("1").fault !== undefined);
});

Deno.test("a time to live is kept, and may have run out", () => {
  const brief = sent({ commands: ["SET key 1 PX 900"], answers: ["OK"] });
  assertEquals(check(brief, 1, new Map()).fault, undefined);
  const long = sent({ commands: ["SET key 1 PX 90000"], answers: ["OK"] });
  assertEquals(check(long, 1, new Map([["key", string("1", SENT_MS + 90_000)]])).fault, undefined);
  assert(check(long, 1, new Map()).fault !== undefined);
  assert(check(long, 1, new Map([["key", string("1")]])).fault !== undefined);
  // As if the rest of the life had been counted from the restart on.
  assert(check(long, 1, new Map([["key", string("1", KILLED_MS + 90_000)]])).fault !== undefined);
});

Deno.test("a wrong reply is told as such", () => {
  const operations = sent({ commands: ["INCR counter"], answers: [2] });
  const { fault } = check(operations, 1, new Map([["counter", string("1")]]));
  assertStringIncludes(fault!, "INCR counter was answered with 2, not with 1");
});

/** Operations as the load makes them, answered by the model itself. */
function answered(
  first: number,
  last: number,
  random: RandomSource,
  states: KeyStates,
): Operation[] {
  const operations: Operation[] = [];
  for (let number = first; number <= last; number++) {
    const commands = makeCommands(0, number, random);
    const operation: Operation = {
      number,
      commands,
      sentMs: SENT_MS,
      acknowledgedMs: undefined,
      answers: undefined,
    };
    // One by one, since in a transaction SPOP may take what SADD has just added.
    const answers = commands.map((command) => {
      const answer = answerOf(command, number, states);
      applyOperation(states, { ...operation, commands: [command], answers: answer }, SENT_MS);
      return answer;
    });
    if (answers.every((answer) => answer !== undefined)) {
      operation.acknowledgedMs = SENT_MS;
      operation.answers = answers.flat();
    }
    operations.push(operation);
  }
  return operations;
}

/** The answer where the model needs one. */
function answerOf(
  [name, key]: readonly string[],
  number: number,
  states: KeyStates,
): [Answer] | undefined {
  if (name === "XADD") return [`${number}-0`];
  if (name !== "SPOP") return undefined;
  const value = states.get(key)?.value;
  return [value?.kind === "set" ? value.pool.values().next().value! : null];
}

Deno.test("of random operations each number is found, and a missing one in the middle too", () => {
  const seed = testSeed("crash_test");
  for (let run = 0; run < 20; run++) {
    const random = new RandomSource(seed, run);
    const states: KeyStates = new Map();
    const first = answered(1, 300, random, states);
    const half = copyStates(states);
    const operations = [...first, ...answered(301, 400, random, states)];
    const verdict = check(operations, 300, half);
    assertEquals(verdict.fault, undefined);
    assert(verdict.survived >= 300);

    const missing = first.findIndex(({ commands }) => commands[0][0] === "INCR");
    const holed: KeyStates = new Map();
    // With something at the end that can't be mistaken for missing.
    const ended = [...first, ...sent({ commands: ["RPUSH writer0:ledger 301"] })];
    for (const operation of ended.toSpliced(missing, 1)) {
      applyOperation(holed, operation, KILLED_MS);
    }
    assert(check(ended, 0, holed).fault !== undefined);
  }
});

const encoder = new TextEncoder();

function logged(...commands: readonly string[]): string {
  return commands.map((command) => {
    const words = command.split(" ");
    return `*${words.length}\r\n` + words.map((word) => `$${word.length}\r\n${word}\r\n`).join("");
  }).join("");
}

Deno.test("commands are found in a file with annotations and a torn end", () => {
  const whole = `#TS:1700000000\r\n${logged("SELECT 0", "SET a 1")}`;
  const bytes = encoder.encode(whole + logged("SET b 2").slice(0, -3));
  const commands = loggedCommands(bytes);
  assertEquals(commands.map(({ words }) => words.join(" ")), ["SELECT 0", "SET a 1"]);
  assertEquals(commands[0].start, 16);
  assertEquals(commands[1].end, whole.length);
  assertEquals(loggedCommands(encoder.encode(whole + "*2\r\n$6")).length, 2);
});

Deno.test("each sabotage changes what this round has written, and nothing before", () => {
  const before = logged("INCR writer0:counter", "MULTI", "RPUSH writer0:pair:left 1", "EXEC");
  const round = logged(
    ...["MULTI", "RPUSH writer0:pair:left 2", "RPUSH writer0:pair:right 2", "EXEC"],
    ...["INCR writer0:counter", "SET writer0:string:0 9", "SET writer0:string:0 10"],
    ...["SET writer0:string:0 11", "SET writer0:string:0 12", "SET writer0:string:0 13"],
  );
  const bytes = encoder.encode(before + round);
  for (const kind of SABOTAGES) {
    const changed = sabotage(kind, bytes, before.length, new RandomSource(1, 0));
    assert(changed !== undefined);
    assert(changed.length !== bytes.length);
    assertEquals(changed.subarray(0, before.length), bytes.subarray(0, before.length));
  }
});

Deno.test("an end is torn off in what this round has written, and not in a transaction if so wished", () => {
  const before = logged("INCR writer0:counter");
  const bytes = encoder.encode(before + logged("MULTI", "SET a 1", "SET b 1", "EXEC", "SET c 1"));
  const commands = loggedCommands(bytes);
  const [, multi, , , exec] = commands;
  let spared = 0;
  for (let draw = 0; draw < 100; draw++) {
    const [torn, sparing] = [false, true].map((sparesTransactions) =>
      tear(bytes, before.length, new RandomSource(draw, 0), sparesTransactions).length
    );
    assert(torn >= before.length && torn < bytes.length);
    if (torn > multi.end && torn < exec.end) {
      assert(commands.some(({ end }) => end === sparing));
      if (torn !== sparing) spared++;
    } else assertEquals(torn, sparing);
  }
  assert(spared > 0);
  assertEquals(tear(bytes, bytes.length, new RandomSource(1, 0), false).length, bytes.length);
});

Deno.test("what is promised depends on the policy, on time, and on whether the file is on", () => {
  const writer = new Writer(0, 0);
  writer.operations = sent(
    { commands: ["INCR counter"], answers: [1] },
    { commands: ["INCR counter"], answers: [2] },
    { commands: ["INCR counter"] },
  );
  writer.operations[1].acknowledgedMs = SENT_MS + 500;
  writer.acknowledged = 2;
  const killedMs = SENT_MS + 100 + EVERYSEC_SLACK_MS;
  const floor = (keeping: "always" | "everysec" | "no" | "snapshots") =>
    new Durability(keeping, [writer]).floors(killedMs);
  assertEquals(floor("always"), [2]);
  assertEquals(floor("everysec"), [1]);
  assertEquals(floor("no"), [0]);
  assertEquals(floor("snapshots"), [0]);

  const file = new Durability("always", [writer]);
  writer.acknowledged = 1;
  file.suspend();
  writer.acknowledged = 2;
  assertEquals(file.floors(killedMs), [1]);
  file.resume();
  assertEquals(file.floors(killedMs), [2]);

  const snapshots = new Durability("snapshots", [writer]);
  snapshots.snapshotFinished([1]);
  assertEquals(snapshots.floors(killedMs), [1]);
});
