/**
 * A command of a client of the Sentinel API, as its handler sees it.
 *
 * @module
 */
import type { ReplyWriter } from "../../protocol/reply_writer.ts";
import type { ControlContext } from "../control/context.ts";
import type { Group } from "../control/group.ts";
import type { ControlMachine } from "../control/machine.ts";
import type { SentinelServer } from "./server.ts";
import type { SentinelSession } from "./session.ts";

/** What the API needs of the control plane. */
export interface SentinelHost {
  /** Looks into the control machine, or changes it; what has to be done then is done before this returns. */
  call<Result>(work: (context: ControlContext) => Result): Result;
  /** Starts a failover; the error's text, or undefined. */
  failover(group: string): string | undefined;
  /** The control machine itself. */
  readonly machine: ControlMachine;
  /** Ends the process. */
  exit(code: number): void;
  /** What a host's name stands for; null if nobody knows. */
  resolve(host: string): Promise<string | null>;
}

/** See the head of this file. */
export class SentinelCall {
  /** A command of `session`, whose reply `writer` takes. */
  constructor(
    readonly server: SentinelServer,
    readonly session: SentinelSession,
    readonly host: SentinelHost,
    readonly writer: ReplyWriter,
    /** The command's name and its arguments. */
    readonly words: readonly string[],
  ) {}

  /** `+OK`. */
  ok(): void {
    this.writer.simple("OK");
  }

  /** An error of the usual code. */
  error(text: string): void {
    this.writer.error(`ERR ${text}`);
  }

  /** Bulk strings in an array. */
  list(texts: readonly string[]): void {
    this.writer.array(texts.length);
    for (const text of texts) this.writer.bulk(text);
  }

  /** Names and values. */
  table(entries: readonly (readonly [string, string])[]): void {
    this.writer.map(entries.length);
    for (const [name, value] of entries) {
      this.writer.bulk(name);
      this.writer.bulk(value);
    }
  }

  /** The group of a name; if there is none, the client is told so. */
  group(context: ControlContext, name: string): Group | undefined {
    const group = context.groups.get(name);
    if (group === undefined) this.error("No such master with that name");
    return group;
  }
}

/** An integer as Redis reads it; undefined if it is none. */
export function parseInteger(text: string): number | undefined {
  if (!/^-?(0|[1-9]\d{0,18})$/.test(text) || text === "-0") return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
