/**
 * `--replica`: shows what a master sends its replicas.
 *
 * We say that we are a replica, pass over the snapshot, which we ask to be as good as empty, and
 * print the commands that follow as they come.
 *
 * @module
 */

import { ReplyReader } from "../../protocol/reply_reader.ts";
import { reportFailure } from "../failures.ts";
import { Printer } from "../output/printer.ts";
import type { Terminal } from "../terminal.ts";
import { IncomingSnapshot, introduceReplica, receiveVisibly } from "./incoming_snapshot.ts";
import { RawConnection } from "./raw_connection.ts";
import type { ToolContext } from "./tool.ts";

/** How often replicas say how much they have. */
const ACKNOWLEDGEMENT_MS = 1000;

const READ_BYTES = 64 << 10;

/**
 * Prints what the master sends, until it ends or the user has enough.
 *
 * @returns The exit code, which is 1: no connection that is over was over on purpose.
 */
export async function followMaster(context: ToolContext): Promise<number> {
  const { terminal } = context;
  const connection = await RawConnection.open(context);
  if (connection === undefined) return 1;
  try {
    await introduceReplica(connection, terminal, "capa", "eof");
    await introduceReplica(connection, terminal, "rdb-filter-only", "");
    const isAwaited = await passOverSnapshot(connection, context);
    return await printCommands(connection, context, isAwaited);
  } catch (error) {
    return reportFailure(error, terminal);
  } finally {
    connection.close();
  }
}

/**
 * Receives the snapshot and forgets it.
 *
 * @returns whether the master waits for us to say that we have it.
 */
async function passOverSnapshot(
  connection: RawConnection,
  { terminal }: ToolContext,
): Promise<boolean> {
  const snapshot = await IncomingSnapshot.request(connection);
  const { length } = snapshot;
  terminal.writeError(
    length === undefined
      ? "SYNC with master, discarding bytes of bulk transfer until EOF marker..."
      : `SYNC with master, discarding ${length} bytes of bulk transfer...`,
  );
  const received = await receiveVisibly(snapshot, terminal, {
    title: "Discarding",
    failure: "Error reading RDB payload while SYNCing",
  }, () => {});
  const amount = length === undefined ? ` after ${received} bytes` : "";
  terminal.writeError(`SYNC done${amount}. Logging commands from master.`);
  return length === undefined;
}

/** Prints commands until the connection ends, which is thrown. */
async function printCommands(
  connection: RawConnection,
  { settings, terminal }: ToolContext,
  isAwaited: boolean,
): Promise<never> {
  // A line a command, whoever reads it, as redis-cli prints them; JSON has lines as well.
  const isJson = settings.format === "json" || settings.format === "quoted-json";
  const printer = new Printer({ ...settings, format: isJson ? settings.format : "csv" }, terminal);
  const stopAcknowledging = isAwaited ? startAcknowledging(connection, terminal) : () => {};
  const reader = new ReplyReader();
  const room = new Uint8Array(READ_BYTES);
  try {
    for (;;) {
      const count = await connection.read(room);
      stopAcknowledging();
      reader.push(room.subarray(0, count));
      for (let command = reader.next(); command !== undefined; command = reader.next()) {
        printer.print(command);
      }
    }
  } finally {
    stopAcknowledging();
  }
}

/**
 * Says that the snapshot is there, again and again until the returned function is called. Once
 * isn't enough: before the master has seen its snapshot's process end, it takes no notice.
 */
function startAcknowledging(connection: RawConnection, terminal: Terminal): () => void {
  let isFirst = true;
  const timer = setInterval(() => {
    if (isFirst) terminal.writeError("sending REPLCONF ACK 0");
    isFirst = false;
    // If the connection has ended, that is noticed where it is read.
    connection.send("REPLCONF", "ACK", "0").catch(() => {});
  }, ACKNOWLEDGEMENT_MS);
  return () => clearInterval(timer);
}
