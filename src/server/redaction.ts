/**
 * Which arguments of a command are secret: neither the slow log nor MONITOR shows them.
 *
 * @module
 */
import type { Command } from "./command_table.ts";
import { migrateOptions } from "./migrate_request.ts";
import type { ServerContext } from "./server_context.ts";

const encoder = new TextEncoder();

/** What stands in the place of a secret. */
const REDACTED: Uint8Array = encoder.encode("(redacted)");

/** Settings whose values are secret. */
const SECRET_SETTINGS: ReadonlySet<string> = new Set([
  "requirepass",
  "masterauth",
  "masteruser",
  "tls-key-file-pass",
  "tls-client-key-file-pass",
]);

/** The arguments of the command that runs, secrets left out; good until the next one is read. */
export function shownArguments(context: ServerContext, command: Command): Uint8Array[] {
  const shown = Array.from(
    { length: context.argc },
    (_, index) => index === context.blockArgument ? context.shownBlock : context.argument(index),
  );
  switch (command.name) {
    case "auth":
      return shown.fill(REDACTED, 1);
    case "acl|setuser":
      return shown.fill(REDACTED, 2);
    case "config|set":
      for (let index = 3; index < shown.length; index += 2) {
        if (SECRET_SETTINGS.has(context.text(index - 1).toLowerCase())) shown[index] = REDACTED;
      }
      return shown;
    case "hello":
      return hideBehind(context, shown, 2, "AUTH", 2);
    case "migrate":
      for (const secret of migrateOptions(context).secrets) shown[secret] = REDACTED;
      return shown;
    default:
      return shown;
  }
}

/** Hides the `count` arguments behind each `word`, from argument `from` on. */
function hideBehind(
  context: ServerContext,
  shown: Uint8Array[],
  from: number,
  word: string,
  count: number,
): Uint8Array[] {
  for (let index = from; index < shown.length; index++) {
    if (!context.isWord(index, word)) continue;
    shown.fill(REDACTED, index + 1, index + 1 + count);
    index += count;
  }
  return shown;
}
