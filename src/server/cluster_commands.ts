/**
 * Handlers of CLUSTER and ASKING: this server is never part of a cluster, and says so.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { CLUSTER_SPECS, type HandlersFor } from "../commands/specs/mod.ts";

/** Reply to what only a node of a cluster can do. */
const CLUSTER_DISABLED = "ERR This instance has cluster support disabled";

const refuse: Handler = (context) => context.reply.error(CLUSTER_DISABLED);

/** The handlers of ASKING and of CLUSTER's subcommands. */
export const CLUSTER_HANDLERS: HandlersFor<typeof CLUSTER_SPECS, Handler> = {
  asking: refuse,
  cluster: Object.fromEntries(
    Object.keys(CLUSTER_SPECS.cluster.subcommands).map((name) => [name, refuse]),
  ) as HandlersFor<typeof CLUSTER_SPECS, Handler>["cluster"],
};
