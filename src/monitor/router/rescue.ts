/**
 * Commands whose node couldn't answer: which of them can be sent once more, and what is said of the others.
 *
 * What only reads, and what has certainly not left, is sent elsewhere. For the rest, nobody knows whether it was carried out.
 *
 * @module
 */
import { parseRequest, RequestFrame } from "../../protocol/request_parser.ts";
import { ReplySkipper } from "../../protocol/reply_skipper.ts";
import { READ, type RouteTable, WAIT, WRITE } from "./routes.ts";
import { Run } from "./run.ts";

/** A part of a run that is done with in one way. */
interface Part {
  readonly start: number;
  end: number;
  count: number;
  writes: number;
  toMaster: boolean;
}

/** The commands of a run, one behind the other. */
function* commandsOf(run: Run, routes: RouteTable): Generator<Part> {
  const bytes = run.request;
  const frame = new RequestFrame();
  let start = 0;
  while (start < bytes.length) {
    frame.reset(start);
    parseRequest(frame, bytes, bytes.length, Infinity, true);
    const end = frame.position;
    if (frame.argc > 0) {
      const { kind } = routes.find(bytes, frame.starts[0], frame.lengths[0]);
      const writes = kind >= WRITE && kind !== WAIT ? 1 : 0;
      yield { start, end, count: 1, writes, toMaster: kind !== READ };
    }
    start = end;
  }
}

/** Makes the next command a part of `part`. */
function extend(part: Part, next: Part): void {
  part.end = next.end;
  part.count++;
  part.writes += next.writes;
  part.toMaster ||= next.toMaster;
}

/** A run of `part` of another one, to be sent once more. */
function repeated(run: Run, part: Part): Run {
  const again = new Run(run.owner, part.count);
  again.copy = run.request.slice(part.start, part.end);
  again.origin = run.upstream!.shape;
  again.writes = part.writes;
  again.toMaster = part.toMaster;
  again.isSilent = run.isSilent;
  again.isExclusive = run.isExclusive;
  again.isWait = run.isWait;
  again.startedMs = run.startedMs;
  again.sentMs = run.sentMs;
  return again;
}

/** Puts `part` of another run behind commands that wait to be sent once more. */
function addTo(again: Run, run: Run, part: Part): void {
  again.appendCopy(run.request.subarray(part.start, part.end));
  again.count++;
  again.writes += part.writes;
  again.toMaster ||= part.toMaster;
}

/** A run whose replies are all there: the first `count` of `run`, if they still wait. */
function answeredPart(run: Run): Run[] {
  if (run.held === null) return [];
  const part = new Run(run.owner, run.answered);
  part.answered = run.answered;
  part.held = run.held;
  part.isSilent = run.isSilent;
  part.isDone = true;
  run.held = null;
  return [part];
}

/** `count` times the same error. */
export function errorRun(like: Run, count: number, error: string): Run {
  const run = new Run(like.owner, count);
  run.isSilent = like.isSilent;
  fillWithErrors(run, error);
  return run;
}

/** Has each command of a run be answered with an error. */
export function fillWithErrors(run: Run, error: string): void {
  const bytes = new TextEncoder().encode(`-${error}\r\n`.repeat(run.count));
  run.held = null;
  run.hold(bytes, 0, bytes.length);
  run.answered = run.count;
  run.isDone = true;
}

/**
 * Of what a run has changed and was answered, nobody knows whether enough replicas have it: each of these replies gives way to an error. What
 * has only read keeps its reply.
 *
 * @returns how many there are.
 */
export function doubtWrites(run: Run, routes: RouteTable, error: string): number {
  const replies = run.held?.take();
  if (replies === undefined || run.writes === 0) return 0;
  run.held = null;
  const line = new TextEncoder().encode(`-${error}\r\n`);
  const skipper = new ReplySkipper();
  let at = 0;
  let number = 0;
  let doubted = 0;
  for (const { writes } of commandsOf(run, routes)) {
    if (number++ === run.answered) break;
    const end = skipper.skip(replies, at, replies.length);
    if (writes > 0) run.hold(line, 0, line.length);
    else run.hold(replies, at, end);
    doubted += writes;
    at = end;
  }
  return doubted;
}

/** Whether replies of a run waited for the word of replicas. */
function awaitsConfirmation({ upstream, writes }: Run): boolean {
  return writes > 0 && upstream !== null && upstream.shape.acks > 0;
}

/** What takes the place of a run. */
export interface Rescued {
  /** In the order of the commands. */
  readonly runs: readonly Run[];
  /** Those of them that are to be sent once more. */
  readonly again: readonly Run[];
  /** How many commands may or may not have been carried out. */
  readonly unknown: number;
}

/** What becomes of a run whose connection is lost. */
export function rescueLost(run: Run, routes: RouteTable, error: string): Rescued {
  let unknown = awaitsConfirmation(run) ? doubtWrites(run, routes, error) : 0;
  const runs = answeredPart(run);
  const again: Run[] = [];
  let number = 0;
  let part = null as Part | null;
  let pendingErrors = 0;
  const endPart = () => {
    if (part === null) return;
    const next = repeated(run, part);
    runs.push(next);
    again.push(next);
    part = null;
  };
  const endErrors = () => {
    if (pendingErrors > 0) runs.push(errorRun(run, pendingErrors, error));
    pendingErrors = 0;
  };
  for (const command of commandsOf(run, routes)) {
    if (number++ < run.answered) continue;
    const mayBeDone = run.copy === null && run.upstream!.mayHaveLeft(run, command.start);
    if (command.writes > 0 && mayBeDone) {
      endPart();
      pendingErrors++;
      unknown++;
      continue;
    }
    endErrors();
    if (part === null) part = { ...command };
    else extend(part, command);
  }
  endPart();
  endErrors();
  return { runs, again, unknown };
}

/**
 * Takes the next command out of a run whose node refuses it: what takes its place before the run, which may be empty then.
 *
 * @param error What writes before it are answered with that nobody has confirmed.
 * @param before What stands before the run and waits to be sent once more: the command becomes a part of that. So a thousand refusals make one run.
 */
export function rescueRefused(
  run: Run,
  routes: RouteTable,
  error: string,
  before: Run | null,
): Rescued {
  const unknown = awaitsConfirmation(run) ? doubtWrites(run, routes, error) : 0;
  const runs = answeredPart(run);
  let number = 0;
  for (const command of commandsOf(run, routes)) {
    if (number++ < run.answered) continue;
    const next = before !== null && runs.length === 0 && run.answered === 0
      ? null
      : repeated(run, command);
    if (next !== null) runs.push(next);
    else addTo(before!, run, command);
    run.start += command.end;
    run.count -= run.answered + 1;
    run.writes -= Math.min(run.writes, command.writes);
    run.answered = 0;
    return { runs, again: next === null ? [] : [next], unknown };
  }
  return { runs, again: [], unknown };
}

/** Whether the next command of a run that has no reply changes data. */
export function nextWrites(run: Run, routes: RouteTable): boolean {
  let number = 0;
  for (const command of commandsOf(run, routes)) {
    if (number++ === run.answered) return command.writes > 0;
  }
  return false;
}
