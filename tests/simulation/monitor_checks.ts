/**
 * What must hold of routers at any time: **no two of them write to two masters**.
 *
 * Each routing belongs to a configuration epoch. As soon as any router has given a write to a connection to the master of an epoch, none
 * gives one to the master of an older epoch any more, if that is another node; and all have the same master in the same epoch.
 *
 * @module
 */
import type { MonitorNode } from "./monitor_node.ts";

/** Where writes go in an epoch. */
interface EpochMaster {
  readonly epoch: number;
  readonly address: string;
  /** Whose router was the first. */
  readonly router: string;
}

/** See the head of this file. */
export class Fence {
  /** The newest epoch in which something was written; null for none. */
  newest: EpochMaster | null = null;
  /** How often the master was another one. */
  changes = 0;

  /** Says what is wrong by `fail`. */
  constructor(private readonly fail: (message: string) => void) {}

  /** A router writes to the node at `address`; whether that is the first write of an epoch. */
  note(node: MonitorNode, address: string): boolean {
    const { newest } = this;
    const { routing } = node.monitor!.router!.topology;
    const { epoch } = routing;
    if (routing.master?.host !== address) {
      this.fail(
        `the router of ${node.address} writes to ${address}, but its master is ${routing.master?.host}`,
      );
    }
    if (newest === null || epoch > newest.epoch) {
      if (newest !== null && newest.address !== address) this.changes++;
      this.newest = { epoch, address, router: node.address };
      return true;
    }
    if (address !== newest.address) {
      this.fail(
        `two masters: the router of ${node.address} writes to ${address} (epoch ${epoch}), but that of ` +
          `${newest.router} has written to ${newest.address} (epoch ${newest.epoch})`,
      );
    }
    return false;
  }
}
