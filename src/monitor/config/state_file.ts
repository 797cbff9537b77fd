/**
 * The file that is rewritten with what a monitor has to remember.
 *
 * @module
 */
import { ConfigError } from "../../runtime/config_lines.ts";
import { type Files, removeQuietly, systemReason } from "../../runtime/files.ts";
import type { MonitorOptions, SavedState } from "../options.ts";
import { rewriteState } from "./rewrite.ts";

/** Who may read a state file that is new: passwords may stand in it. */
const ONLY_THE_OWNER = 0o600;

/**
 * Tries whether the state can be saved: a monitor that can't keep what it has promised to others must not start.
 *
 * @throws {ConfigError} with what to say on the terminal.
 */
export function checkStateFile(options: MonitorOptions, files: Files): void {
  const { stateFile, stateFileIsConfig } = options;
  if (stateFile === "") return;
  // The file is replaced by another one, so its folder has to take one, too.
  const beside = `${stateFile}.${Deno.pid}.tmp`;
  try {
    const isNew = !files.exists(stateFile);
    files.appendText(stateFile, "");
    if (isNew) files.setPermissions(stateFile, ONLY_THE_OWNER);
    files.create(beside).close();
    files.remove(beside);
  } catch (error) {
    removeQuietly(files, beside);
    const reason = systemReason(error);
    throw new ConfigError(
      stateFileIsConfig
        ? `Sentinel config file ${stateFile} is not writable: ${reason}. Exiting...`
        : `The state file ${stateFile} is not writable: ${reason}. '--state' names another place for ` +
          "it, and an empty one keeps nothing. Exiting...",
    );
  }
}

/**
 * What saves the state. Each call reads the file again, since somebody may have edited it, and replaces it as a whole.
 *
 * @param options What the monitor was started with.
 * @returns a function that has put the state on disk when it returns, and throws as the system says if it can't.
 */
export function stateSaver(options: MonitorOptions, files: Files): (state: SavedState) => void {
  const path = options.stateFile;
  if (path === "") return () => {};
  return (state) => {
    const before = files.exists(path) ? files.readText(path) : "";
    files.replaceText(path, rewriteState(before, options, state));
  };
}
