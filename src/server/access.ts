/**
 * Commands and settings that reach beyond the data, and need leave in the configuration; and what is said to those who come
 * before the data is there.
 *
 * @module
 */
import type { ServerContext } from "./server_context.ts";

/** What clients are told while the data is being loaded. */
export const LOADING = "LOADING Redis is loading the dataset in memory";

/** A setting that says who may: nobody, everybody, or clients of this machine. */
export type AccessSetting =
  | "enable-protected-configs"
  | "enable-debug-command"
  | "enable-module-command";

/** Whether the client whose turn it is may do what a setting guards. */
export function hasLeave(context: ServerContext, setting: AccessSetting): boolean {
  const who = context.server.settings.text(setting);
  return who === "yes" || (who === "local" && context.client.connection.fromLoopback);
}

/** What a client without leave is told. */
export function noLeave(command: string, setting: AccessSetting): string {
  return `ERR ${command} command not allowed. If the ${setting} option is set to "local", you can ` +
    "run it from a local connection, otherwise you need to set this option in the configuration " +
    "file, and then restart the server.";
}
