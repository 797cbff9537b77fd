/**
 * The proof that the simulation finds what it is for: each sync is taken out in turn, and some seed must find out.
 *
 * @module
 */
import { simulate } from "./simulation.ts";
import { keyOf, siteOfCall, type SyncSite, SyncSites } from "./sync_sites.ts";

/** How the search for one site ended. */
export interface Finding {
  /** The site. */
  readonly site: SyncSite;
  /** How often it was called in the seeds that were looked at. */
  readonly calls: number;
  /** How many seeds were played until one found it missing, or all in vain. */
  readonly seeds: number;
  /** The one that did, */
  readonly seed: number | undefined;
  /** and what it said. */
  readonly fault: string | undefined;
}

/** The seeds to look at. */
export interface SeedRange {
  /** The first one. */
  readonly first: number;
  /** How many at most. */
  readonly count: number;
}

/** Which sites each seed comes by. */
export class SeedCalls {
  /** The sites. */
  readonly sites: SyncSites = new SyncSites();
  private readonly bySeed = new Map<number, Set<string>>();

  /** The keys of the sites of a seed. */
  async of(seed: number): Promise<Set<string>> {
    const known = this.bySeed.get(seed);
    if (known !== undefined) return known;
    const keys = new Set<string>();
    const ignoreSyncs = (_kind: unknown, path: string) => {
      keys.add(this.sites.note(path));
      return false;
    };
    const { fault } = await simulate(seed, { ignoreSyncs });
    if (fault !== undefined) throw fault;
    this.bySeed.set(seed, keys);
    return keys;
  }
}

/** Takes out all syncs of one site. */
export function without(key: string): (kind: "file" | "folder", path: string) => boolean {
  return (_kind, path) => keyOf(siteOfCall(path)) === key;
}

/** Plays seeds without a site until one finds out. */
export async function searchFor(
  { key, site, calls }: ReturnType<SyncSites["list"]>[number],
  { first, count }: SeedRange,
  seedCalls: SeedCalls,
): Promise<Finding> {
  for (let seed = first; seed < first + count; seed++) {
    if (!(await seedCalls.of(seed)).has(key)) continue;
    const { fault } = await simulate(seed, { ignoreSyncs: without(key) });
    if (fault === undefined) continue;
    return { site, calls, seeds: seed - first + 1, seed, fault: fault.message };
  }
  return { site, calls, seeds: count, seed: undefined, fault: undefined };
}
