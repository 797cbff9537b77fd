/**
 * What a server says of its replication, and who of the survivors takes the master's place.
 *
 * @module
 */

/** A part of what INFO says. */
export interface ReplicationFacts {
  /** Whether it follows nobody. */
  readonly isMaster: boolean;
  /** The port of whom it follows, or undefined. */
  readonly masterPort: number | undefined;
  /** Of a master, how many follow it and have got what came before. */
  readonly onlineReplicas: number;
  /** The history that its data are of. */
  readonly replicationId: string;
  /** How far it has got in that history: of a master what it has written, of a replica what it has applied. */
  readonly offset: number;
  /** Whether it is a replica that follows its master at the moment. */
  readonly isLinkUp: boolean;
  /** What replicas have asked it for since it was started. */
  readonly syncs: Syncs;
}

/** How replicas began to follow. */
export interface Syncs {
  /** With a snapshot. */
  readonly full: number;
  /** With what they were missing. */
  readonly partial: number;
  /** Of those with a snapshot, how many had asked for less. */
  readonly refused: number;
}

/** Asks a server; `ask` gives a reply as text. */
export async function readFacts(
  ask: (name: string, ...args: readonly string[]) => Promise<string>,
): Promise<ReplicationFacts> {
  return parseFacts(
    [await ask("INFO", "replication"), await ask("INFO", "stats")].join("\r\n"),
  );
}

/** Reads the sections `replication` and `stats` of INFO. */
export function parseFacts(info: string): ReplicationFacts {
  const fields = new Map(info.split("\r\n").map((line) => line.split(":", 2) as [string, string]));
  const number = (name: string) => Number(fields.get(name) ?? 0);
  const isReplica = fields.get("role") === "slave";
  return {
    isMaster: !isReplica,
    masterPort: isReplica ? number("master_port") : undefined,
    onlineReplicas: info.match(/^slave\d+:.*state=online/gm)?.length ?? 0,
    replicationId: fields.get("master_replid") ?? "",
    offset: number(isReplica ? "slave_repl_offset" : "master_repl_offset"),
    isLinkUp: fields.get("master_link_status") === "up",
    syncs: {
      full: number("sync_full"),
      partial: number("sync_partial_ok"),
      refused: number("sync_partial_err"),
    },
  };
}

/**
 * The place of the one to promote: of those whose data are of the dead master's history, the one
 * that has got furthest. An offset says nothing about another history: a replica that is still busy
 * with its first snapshot may show a large one from the time before.
 *
 * @param least Whether to take the one that has got least far, to see that the loss is noticed.
 * @returns undefined if there is none.
 */
export function placeToPromote(
  survivors: readonly ReplicationFacts[],
  replicationId: string,
  least = false,
): number | undefined {
  let place: number | undefined;
  for (const [index, survivor] of survivors.entries()) {
    if (survivor.replicationId !== replicationId) continue;
    const isFurther = place === undefined || survivor.offset > survivors[place].offset;
    if (place === undefined || isFurther !== least) place = index;
  }
  return place;
}
