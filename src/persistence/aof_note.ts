/**
 * The last line of an append-only file whose server has ended in good order: which place in which history its data has, so that
 * replicas, or the server itself as one, can go on from there.
 *
 * ```text
 * #REPL:<id of the stream>:<its bytes so far>:<number of the database selected>\r\n
 * ```
 *
 * For Redis, as for all who read commands, it is a note that says nothing. It is true of all that stands before it, and of
 * nothing else: once a command stands behind it, or the end of the file is missing, it says nothing here either.
 *
 * @module
 */
import type { ReplicationFacts } from "./rdb_file_writer.ts";

const NOTE = /^#REPL:([0-9a-f]{40}):(\d{1,16}):(\d{1,10})\r\n$/;

/** The line that tells of `facts`. */
export function replicationNote({ database, id, offset }: ReplicationFacts): string {
  return `#REPL:${id}:${offset}:${database}\r\n`;
}

/** What a line tells; null if it isn't such a one. */
export function readReplicationNote(line: string): ReplicationFacts | null {
  const match = NOTE.exec(line);
  if (match === null) return null;
  const [, id, offset, database] = match;
  const facts = { id, offset: Number(offset), database: Number(database) };
  return Number.isSafeInteger(facts.offset) ? facts : null;
}
