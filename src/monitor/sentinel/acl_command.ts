/**
 * The part of ACL that makes sense with a single user: who one is, and that there is nobody else.
 *
 * @module
 */
import type { SentinelCall } from "./call.ts";

/** Answers ACL. */
export function acl(call: SentinelCall): void {
  const { words, writer, server } = call;
  const name = words[1].toLowerCase();
  const alone = words.length === 2;
  if (name === "whoami" && alone) writer.bulk("default");
  else if (name === "users" && alone) call.list(["default"]);
  else if (name === "list" && alone) {
    const password = server.options.sentinelRequirePass === "" ? "nopass" : "#(set)";
    call.list([`user default on ${password} ~* &* +@all`]);
  } else {call.error(
      `unknown subcommand '${words[1]}'. The monitor has one user, and a password (requirepass).`,
    );}
}
