/**
 * Partial synchronisation: a replica that comes back goes on where it was, if what it lacks is kept.
 *
 * A replica may also be a little ahead: a former sibling of its new master, which is about to get the same bytes. So those who
 * wait for a snapshot are looked at once more before it is made.
 *
 * @module
 */
import type { Asked, Replica } from "./replicas.ts";
import type { Replication } from "./replication.ts";
import type { Server } from "./server.ts";

/** Why a replica can't go on where it was, for the log; null if it can. */
export function whyNotPartial(
  { history, stream }: Replication,
  { address }: Replica,
  { id, offset }: Asked,
): string | null {
  if (!history.shares(id, offset)) {
    return id === history.secondId
      ? "Partial resynchronization not accepted: Requested offset for second ID was " +
        `${offset + 1}, but I can reply up to ${history.secondEnd + 1}`
      : "Partial resynchronization not accepted: Replication ID mismatch (Replica asked for " +
        `'${id}', my replication IDs are '${history.id}' and '${history.secondId}')`;
  }
  if (stream !== null && stream.holds(offset)) return null;
  return `Unable to partial resync with replica ${address} for lack of backlog (Replica request ` +
    `was: ${offset + 1}).`;
}

/** A replica goes on where it was. */
export function goOn(server: Server, replica: Replica, offset: number): void {
  const { journal, logger, replication: { history, replicas } } = server;
  // It stands before the stream, which doesn't wait for the end of the turn.
  const line = replica.knowsIds ? `+CONTINUE ${history.id}` : "+CONTINUE";
  replica.session.push(new TextEncoder().encode(`${line}\r\n`));
  replicas.partialSyncs++;
  journal.endTurn();
  replicas.add(replica);
  replicas.attach(replica, offset);
  replica.acknowledged = offset;
  logger.log(
    "notice",
    `Partial resynchronization request from ${replica.address} accepted. Sending ` +
      `${replica.pendingBytes} bytes of backlog starting from offset ${offset + 1}.`,
  );
  replicas.putOnline(replica);
}
