/**
 * The file with the number of the server's process.
 *
 * @module
 */
import type { Files } from "../runtime/files.ts";
import { systemReason } from "../runtime/files.ts";
import type { Logger } from "../runtime/logging.ts";
import type { Settings } from "./settings.ts";

/** What the file needs of its server. */
export interface PidFileHost {
  /** Settings. */
  readonly settings: Settings;
  /** Files. */
  readonly files: Files;
  /** Log. */
  readonly logger: Logger;
  /** A path of the settings. */
  pathOf(path: string): string;
}

/** The file of the setting `pidfile`, if that is set. */
export class PidFile {
  private path = "";

  /** Makes a file that isn't there yet. */
  constructor(private readonly host: PidFileHost) {}

  /** Writes the file. */
  write(): void {
    const name = this.host.settings.text("pidfile");
    if (name === "") return;
    this.path = this.host.pathOf(name);
    try {
      this.host.files.replaceText(this.path, `${Deno.pid}\n`);
    } catch (error) {
      this.host.logger.log("notice", `Failed to write PID file: ${systemReason(error)}`);
      this.path = "";
    }
  }

  /** Removes the file, if it was written. */
  remove(): void {
    if (this.path === "") return;
    this.host.logger.log("notice", "Removing the pid file.");
    try {
      this.host.files.remove(this.path);
    } catch {
      // Somebody else was faster.
    }
    this.path = "";
  }
}
