/**
 * What a monitor needs of the machine: a test or a simulation puts its own in the place of each.
 *
 * Timers are the global `setTimeout` and its like, which a simulation replaces as a whole.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { Files } from "../runtime/files.ts";
import type { Logger } from "../runtime/logging.ts";
import type { Randomness } from "../runtime/random.ts";
import type { Sockets } from "../runtime/sockets.ts";

/** See the head of this file. */
export interface MonitorEnvironment {
  /** Connections. */
  readonly sockets: Sockets;
  /** Time. */
  readonly clock: Clock;
  /** Chance. */
  readonly randomness: Randomness;
  /** The state file. */
  readonly files: Files;
  /** The log. */
  readonly logger: Logger;
  /**
   * Finds out the address that a host's name stands for; rejects if nobody knows.
   *
   * @default the system's resolver
   */
  readonly lookup?: (host: string) => Promise<string>;
}
