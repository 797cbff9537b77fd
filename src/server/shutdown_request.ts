/**
 * A shutdown that a signal has asked for. It is done between two turns, at once or, while `DEBUG PAUSE-CRON` stops background
 * work, after that; until then `SHUTDOWN ABORT` takes it back.
 *
 * @module
 */
import type { Server, ShutdownManner } from "./server.ts";

/** What was asked for. */
interface Request {
  readonly manner: ShutdownManner;
  readonly stays: () => void;
}

/** The shutdown that a server has been asked for, if any; see the head of this file. */
export class ShutdownRequest {
  private request: Request | null = null;

  /** For `server`. */
  constructor(private readonly server: Server) {}

  /** Asks for it; `stays` is called if the server goes on nevertheless. */
  ask(manner: ShutdownManner, stays: () => void): void {
    this.request = { manner, stays };
    if (!this.server.cronPaused) this.run();
  }

  /** Does what was asked for, if anything was. */
  run(): void {
    const { request, server } = this;
    if (request === null) return;
    this.request = null;
    if (server.canShutDown(request.manner)) server.shutDownNow();
    else request.stays();
  }

  /** Takes back what was asked for; whether anything was. */
  abort(): boolean {
    const { request, server } = this;
    if (request === null) return false;
    this.request = null;
    server.logger.log("notice", "Shutdown manually aborted.");
    request.stays();
    return true;
  }
}
