/**
 * `--rdb` and `--functions-rdb`: fetch a snapshot of the server into a file.
 *
 * To the server, we are a replica that wants no more than the snapshot. What is told goes to the
 * error output, since the snapshot may go to the standard output.
 *
 * @module
 */

import { type Files, systemFiles } from "../../runtime/files.ts";
import { reportFailure, ToolError } from "../failures.ts";
import { IncomingSnapshot, introduceReplica, receiveVisibly } from "./incoming_snapshot.ts";
import { INTERRUPTED_EXIT_CODE, Interruption } from "./interruption.ts";
import { RawConnection } from "./raw_connection.ts";
import { openSnapshotTarget, type SnapshotTarget } from "./snapshot_target.ts";
import type { ToolContext } from "./tool.ts";

/**
 * Fetches a snapshot of all that the server has.
 *
 * @param context Its tool value is the file's path; `-` is the standard output.
 * @param files Where the file is made.
 * @returns The exit code.
 */
export function fetchSnapshot(context: ToolContext, files: Files = systemFiles): Promise<number> {
  return run(context, files, false);
}

/**
 * Fetches a snapshot of the server's functions alone.
 *
 * @param context Its tool value is the file's path; `-` is the standard output.
 * @param files Where the file is made.
 * @returns The exit code.
 */
export function fetchFunctions(context: ToolContext, files: Files = systemFiles): Promise<number> {
  return run(context, files, true);
}

async function run(context: ToolContext, files: Files, functionsOnly: boolean): Promise<number> {
  const { terminal, settings: { toolValue: path } } = context;
  const connection = await RawConnection.open(context);
  if (connection === undefined) return 1;
  using interruption = new Interruption(terminal);
  // Whoever waits for it learns that it has ended, and tidies up.
  interruption.requested.then(() => connection.close());
  let target: SnapshotTarget | undefined;
  try {
    // First of all: a server shouldn't make a snapshot that nobody can write.
    target = openSnapshotTarget(path, terminal, files);
    await introduce(connection, context, functionsOnly);
    await transfer(connection, context, target);
    return 0;
  } catch (error) {
    target?.abandon();
    if (interruption.isRequested) return INTERRUPTED_EXIT_CODE;
    return reportFailure(error, terminal);
  } finally {
    connection.close();
  }
}

async function introduce(
  connection: RawConnection,
  { terminal }: ToolContext,
  functionsOnly: boolean,
): Promise<void> {
  await introduceReplica(connection, terminal, "capa", "eof");
  await introduceReplica(connection, terminal, "rdb-only", "1");
  if (!functionsOnly) return;
  if (!await introduceReplica(connection, terminal, "rdb-filter-only", "functions")) {
    throw new ToolError("Failed requesting functions only RDB from server, aborting");
  }
}

async function transfer(
  connection: RawConnection,
  { terminal, settings: { toolValue: path } }: ToolContext,
  target: SnapshotTarget,
): Promise<void> {
  const snapshot = await IncomingSnapshot.request(connection);
  const { length } = snapshot;
  terminal.writeError(
    length === undefined
      ? `SYNC sent to master, writing bytes of bulk transfer until EOF marker to '${path}'`
      : `SYNC sent to master, writing ${length} bytes to '${path}'`,
  );
  const received = await receiveVisibly(snapshot, terminal, {
    title: "Receiving",
    failure: "I/O Error reading RDB payload from socket",
  }, (bytes) => target.write(bytes));
  // The disk may take a while, for which the server need not wait.
  connection.close();
  await target.finish();
  const amount = length === undefined ? ` after ${received} bytes` : ".";
  terminal.writeError(`Transfer finished with success${amount}`);
}
