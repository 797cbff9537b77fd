/**
 * What Redis' Sentinel suite prints, taken apart as it comes.
 *
 * It prints `Testing unit: 00-base.tcl`, then for each test `12:34:56> name: `, perhaps a few words or lines of the test itself, and `OK`
 * or `FAILED: reason`. A test that fails ends its unit.
 *
 * @module
 */
import { stableName, type TestResult } from "../tcl/output.ts";

/** A test that has ended. */
export interface SentinelTest extends TestResult {
  /** The unit that it is in, `00-base` say. */
  readonly unit: string;
  /** How long it took. */
  readonly milliseconds: number;
}

// deno-lint-ignore no-control-regex -- the suite prints in colours.
const COLOURS = /\x1b\[[0-9;]*m/g;
const UNIT = /^Testing unit: (.*)\.tcl$/;
const START = /^\d\d:\d\d:\d\d> (.*?):(?: (.*))?$/;
const FAULT =
  /^(?:FAILED: caught an error|ERROR: |WARNING: Aborting|>>>>>>>> |\*\*\* Crash report)/;

/** Reads the output of a run. */
export class SentinelOutput {
  /** The tests that have ended. */
  readonly tests: SentinelTest[] = [];
  /** What went wrong outside of tests. */
  readonly faults: string[] = [];
  /** Whether the suite has come to its end. */
  isComplete = false;
  private unit = "";
  private rest = "";
  /** When the line that isn't whole yet began: a test's name stands there while it runs. */
  private began = 0;
  private running: { name: string; start: number; said: string[] } | undefined;
  private readonly seen = new Map<string, number>();

  /**
   * Reads an output that has just begun.
   *
   * @param now The time in ms, whenever it is asked for.
   * @param onTest Told of each test that has ended.
   */
  constructor(
    private readonly now: () => number,
    private readonly onTest: (test: SentinelTest) => void = () => {},
  ) {}

  /** Takes the next piece. */
  take(text: string): void {
    const lines = (this.rest + text).replace(COLOURS, "").split("\n");
    if (this.rest === "") this.began = this.now();
    this.rest = lines.pop()!;
    for (const line of lines) {
      this.takeLine(line);
      this.began = this.now();
    }
  }

  /** Reads what isn't a whole line: a test that hung at the end. */
  finish(): void {
    this.take("\n");
    if (this.running !== undefined) this.end("failed", "it hangs");
  }

  private takeLine(line: string): void {
    const unit = UNIT.exec(line);
    const start = START.exec(line);
    if (unit !== null) {
      this.unit = unit[1];
      this.seen.clear();
    } else if (start !== null) {
      this.running = { name: start[1], start: this.began, said: [] };
      this.takeWords(start[2] ?? "");
    } else if (/^GOOD! No errors|^WARNING \d+ test\(s\) failed/.test(line)) this.isComplete = true;
    else if (FAULT.test(line)) this.fail(line);
    else if (this.running !== undefined) this.takeWords(line);
    // What is behind an error is Tcl's stack.
    else if (this.faults.length > 0 && /^ {4}\S|^\(/.test(line)) {
      this.faults[this.faults.length - 1] += `\n${line}`;
    }
  }

  /** What a test says, and how it ended. */
  private takeWords(line: string): void {
    const failure = /FAILED: (.*)$/.exec(line);
    if (failure !== null) this.end("failed", failure[1]);
    else if (/(^| )OK$/.test(line)) this.end("passed", "");
    else if (/^LEFT OUT$/.test(line)) this.end("left out", "");
    else this.running?.said.push(line);
  }

  private fail(line: string): void {
    if (this.running !== undefined) this.end("failed", line);
    this.faults.push(`${this.unit}: ${line}`);
  }

  private end(outcome: TestResult["outcome"], reason: string): void {
    const { name, start, said } = this.running!;
    this.running = undefined;
    // Which replica becomes the master is for chance to say.
    const stable = stableName(name).replace(/\b127\.0\.0\.1:\d+\b/, "127.0.0.1:N");
    const count = (this.seen.get(stable) ?? 0) + 1;
    this.seen.set(stable, count);
    const test: SentinelTest = {
      unit: this.unit,
      name: count === 1 ? stable : `${stable} #${count}`,
      outcome,
      details: outcome === "failed" ? [...said, reason].join("\n").trim() : "",
      milliseconds: this.now() - start,
    };
    this.tests.push(test);
    this.onTest(test);
  }
}
