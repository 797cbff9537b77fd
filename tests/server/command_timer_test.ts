import { assertEquals } from "@std/assert";
import { ALL_SPECS } from "../../src/commands/specs/mod.ts";
import { Command } from "../../src/server/command_table.ts";
import { CommandTimer } from "../../src/server/command_timer.ts";

function command(name: keyof typeof ALL_SPECS): Command {
  return new Command(name, ALL_SPECS[name], () => {}, null);
}

/** Calls and microseconds of each. */
function charged(...commands: Command[]): [number, number][] {
  return commands.map(({ statistics }) => [statistics.calls, statistics.microseconds]);
}

Deno.test("timer: quick commands share the time of their batch", () => {
  const slow: string[] = [];
  const timer = new CommandTimer(({ name }) => slow.push(name));
  const [get, set] = [command("get"), command("set")];
  timer.setThresholds(10_000, 0);
  timer.begin(100);
  assertEquals(timer.end(100.5, [get, get, set, get], 0, 4), 4);
  assertEquals(charged(get, set), [[3, 375], [1, 125]]);
  assertEquals(timer.end(100.75, [get, get, set, null, null], 2, 5), 1, "two were refused");
  assertEquals(slow, []);
});

Deno.test("timer: one command of a slow group is held responsible", () => {
  const slow: [string, number, number][] = [];
  const timer = new CommandTimer((one, index, ms) => slow.push([one.name, index, ms]));
  const [get, set] = [command("get"), command("set")];
  timer.setThresholds(10_000, 0);
  timer.begin(0);
  timer.end(0.25, [get, get], 0, 2);
  timer.end(20.25, [get, set, get, null], 0, 4);
  assertEquals(slow, [["set", 1, 19.75]]);
  assertEquals(charged(get, set), [[4, 500], [1, 19_750]]);
  timer.end(40.25, [get, get], 0, 2);
  assertEquals(slow.at(-1), ["get", 1, 19.875], "the last, if all are fast");
});

Deno.test("timer: below a millisecond, each command is measured", () => {
  const timer = new CommandTimer(() => {});
  const each = (slowLog: number, latency: number): boolean => {
    timer.setThresholds(slowLog, latency);
    return timer.each;
  };
  assertEquals(each(-1, 0), false);
  assertEquals(each(10_000, 0), false);
  assertEquals(each(0, 0), true);
  assertEquals(each(1000, 0), true);
  assertEquals(each(-1, 1), true);
  assertEquals(each(-1, 2), false);
});

Deno.test("timer: a threshold that is reached counts", () => {
  const slow: number[] = [];
  const timer = new CommandTimer((_command, _index, ms) => slow.push(ms));
  const keys = command("keys");
  timer.begin(0);
  timer.setThresholds(-1, 0);
  timer.end(500, [keys], 0, 1);
  timer.setThresholds(-1, 100);
  timer.end(599, [keys], 0, 1);
  timer.end(699, [keys], 0, 1);
  timer.setThresholds(10_000, 100);
  timer.end(709, [keys], 0, 1);
  assertEquals(slow, [100, 10]);
});
