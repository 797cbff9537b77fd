/**
 * Tells a node whose replica it is.
 *
 * @module
 */
import type { ControlContext } from "./context.ts";
import type { Answer, Node } from "./endpoint.ts";

/**
 * Makes a node a replica of `master`, or a master if that is null: in a transaction, with its config file rewritten, so that it
 * is what it is after a restart, too.
 *
 * @param disconnects Whether its clients are disconnected, so that they ask anew who is the master.
 * @param answer Given the answer to the transaction.
 * @returns whether it could be sent.
 */
export function replicaOf(
  context: ControlContext,
  node: Node,
  master: Node | null,
  disconnects: boolean,
  answer: Answer = () => {},
): boolean {
  const [host, port] = master === null
    ? ["NO", "ONE"]
    : [context.announced(master), String(master.port)];
  const commands = [
    ["MULTI"],
    ["SLAVEOF", host, port],
    ["CONFIG", "REWRITE"],
    ...(disconnects
      ? [["CLIENT", "KILL", "TYPE", "normal"], ["CLIENT", "KILL", "TYPE", "pubsub"]]
      : []),
  ];
  // A transaction that is only begun would swallow everything behind it.
  if (!context.hasRoom(node, commands.length + 1)) return false;
  for (const command of commands) context.send(node, command);
  return context.send(node, ["EXEC"], answer);
}
