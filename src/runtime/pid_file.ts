/**
 * The file with the number of the process.
 *
 * @module
 */
import { type Files, systemReason } from "./files.ts";
import type { Logger } from "./logging.ts";

/** The file of the setting `pidfile`, if that is set. */
export class PidFile {
  private path = "";

  /** Makes a file that isn't there yet. */
  constructor(private readonly files: Files, private readonly logger: Logger) {}

  /** Writes the file; an empty path is none. */
  write(path: string): void {
    if (path === "") return;
    this.path = path;
    try {
      this.files.replaceText(this.path, `${Deno.pid}\n`);
    } catch (error) {
      this.logger.log("notice", `Failed to write PID file: ${systemReason(error)}`);
      this.path = "";
    }
  }

  /** Removes the file, if it was written. */
  remove(): void {
    if (this.path === "") return;
    this.logger.log("notice", "Removing the pid file.");
    try {
      this.files.remove(this.path);
    } catch {
      // Somebody else was faster.
    }
    this.path = "";
  }
}
