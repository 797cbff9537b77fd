/**
 * How a snapshot comes from the master.
 *
 * ```text
 *   $<length>\r\n<bytes>                     from a file, whose length is known
 *   $EOF:<mark>\r\n<bytes><mark>             as it is made: 40 bytes of the master's choice stand behind the end
 * ```
 *
 * Empty lines may come before, as long as the master prepares. With a mark, nothing comes behind it until the replica has
 * acknowledged: so the mark is the end of what has come when the snapshot is whole.
 *
 * @module
 */
import { type Peer, PeerError } from "./peer.ts";

const MARK_BYTES = 40;
const ROOM_BYTES = 64 * 1024;
const EOF_PREFIX = "$EOF:";

/** What is told of a transfer. */
export interface TransferProgress {
  /** It begins: `bytes` in all, or -1 if only its end will tell. */
  begins(bytes: number): void;
  /** The next bytes, which are only good during the call. */
  receive(bytes: Uint8Array): void;
  /** Resolves when more may come. @default at once */
  ready?(): Promise<void>;
}

/**
 * Receives a snapshot.
 *
 * @throws {PeerError} if the connection ends before it, or what comes is none.
 */
export async function receiveSnapshot(peer: Peer, progress: TransferProgress): Promise<void> {
  let line = await peer.line();
  while (line === "") line = await peer.line();
  if (line.startsWith("-")) {
    throw new PeerError(`MASTER aborted replication with an error: ${line.slice(1)}`);
  }
  if (line.startsWith(EOF_PREFIX) && line.length === EOF_PREFIX.length + MARK_BYTES) {
    progress.begins(-1);
    return await receiveToMark(peer, line.slice(EOF_PREFIX.length), progress);
  }
  if (!/^\$[0-9]{1,15}$/.test(line)) {
    throw new PeerError(
      `Bad protocol from MASTER, the first byte is not '$' (we received '${line}'), are you sure ` +
        "the host and port are right?",
    );
  }
  const length = Number(line.slice(1));
  progress.begins(length);
  await receiveLength(peer, length, progress);
}

/** Receives so many bytes. */
async function receiveLength(
  peer: Peer,
  length: number,
  progress: TransferProgress,
): Promise<void> {
  const room = new Uint8Array(ROOM_BYTES);
  for (let left = length; left > 0;) {
    await progress.ready?.();
    const count = await peer.read(left < room.length ? room.subarray(0, left) : room);
    progress.receive(room.subarray(0, count));
    left -= count;
  }
}

/** Receives all up to a mark, which is held back until it is known to be none. */
async function receiveToMark(
  peer: Peer,
  mark: string,
  progress: TransferProgress,
): Promise<void> {
  const wanted = new TextEncoder().encode(mark);
  const room = new Uint8Array(MARK_BYTES + ROOM_BYTES);
  for (let held = 0;;) {
    await progress.ready?.();
    const end = held + await peer.read(room.subarray(held));
    const from = end - MARK_BYTES;
    if (from < 0) {
      held = end;
      continue;
    }
    progress.receive(room.subarray(0, from));
    if (wanted.every((byte, index) => room[from + index] === byte)) return;
    room.copyWithin(0, from, end);
    held = MARK_BYTES;
  }
}
