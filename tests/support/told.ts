/**
 * What a server tells of its changes: events of keys, and commands in the journal.
 *
 * @module
 */
import type { Server } from "../../src/server/mod.ts";

const decoder = new TextDecoder();

/** Collects what is told from now on. */
export class Told {
  /** Events, as `key:event`. */
  readonly events: string[] = [];
  /** Commands, but for SELECT and what brackets a unit. */
  readonly commands: string[] = [];

  /** Listens to `server`. */
  constructor(server: Server) {
    server.keyspace.listen((_database, key, event) => {
      this.events.push(`${decoder.decode(key)}:${event}`);
    });
    server.journal.listen((bytes) => this.commands.push(...commandsIn(bytes)));
  }

  /** What was told since the last call. */
  take(): { events: string[]; commands: string[] } {
    return { events: this.events.splice(0), commands: this.commands.splice(0) };
  }
}

/** The commands in the journal's bytes, one text each. */
function commandsIn(bytes: Uint8Array): string[] {
  const parts = decoder.decode(bytes).split("\r\n");
  const commands: string[] = [];
  for (let at = 0; parts[at]?.startsWith("*");) {
    const count = Number(parts[at].slice(1));
    const words = Array.from({ length: count }, (_, index) => parts[at + 2 + index * 2]);
    if (!/^(SELECT|MULTI|EXEC)$/.test(words[0])) commands.push(words.join(" "));
    at += 1 + count * 2;
  }
  return commands;
}
