/**
 * What a server tells about its start and about its end by accident.
 *
 * @module
 */
import { VERSION } from "../runtime/version.ts";
import type { Server } from "./server.ts";

/** A `maxmemory` below this is most likely a unit forgotten. */
const SMALL_LIMIT_BYTES = 1024 * 1024;

/** Says who starts, and with what. */
export function logStart(server: Server): void {
  const { logger, settings } = server;
  logger.role = "C";
  logger.log("warning", "oO0OoO0OoO0Oo miniredis is starting oO0OoO0OoO0Oo");
  logger.log(
    "warning",
    `miniredis version=${VERSION}, bits=64, commit=00000000, modified=0, pid=${Deno.pid}, ` +
      "just started",
  );
  logger.log(
    "warning",
    settings.isUntouched
      ? "Warning: no config file specified, using the default config. In order to specify a " +
        "config file use miniredis server /path/to/redis.conf"
      : "Configuration loaded",
  );
  for (const setting of settings.changed()) {
    if (setting.noEffect === undefined) continue;
    logger.log("warning", `'${setting.name}' has no effect here: ${setting.noEffect}`);
  }
  logger.role = "M";
}

/**
 * Says that the server listens, in a picture if somebody watches. (Tools wait for its line with `PID`.)
 */
export function logInitialized(server: Server, watched: boolean): void {
  const { logger, settings } = server;
  if (settings.isOn("always-show-logo") || (watched && settings.text("logfile") === "")) {
    for (const line of logo(server.port)) logger.raw(line);
  } else {
    logger.log("notice", `Running mode=standalone, port=${server.port}.`);
  }
  logger.log("warning", "Server initialized");
}

/** Says that the server runs, with all its data. */
export function logReady(server: Server): void {
  const { logger, settings } = server;
  if (server.port > 0) logger.log("notice", "Ready to accept connections");
  const path = settings.text("unixsocket");
  if (path !== "") {
    logger.log("notice", `The server is now ready to accept connections at ${path}`);
  }
  const { limit } = server.eviction;
  if (limit > 0 && limit < SMALL_LIMIT_BYTES) {
    logger.log(
      "warning",
      `WARNING: You specified a maxmemory value that is less than 1MB (current value is ${limit} ` +
        "bytes). Are you sure this is what you really want?",
    );
  }
}

function logo(port: number): string[] {
  return [
    "",
    "        .-----------.",
    "       /___________/|      miniredis " + `${VERSION} 64 bit`,
    "       |  m i n i  ||",
    "       |-----------||      Running in standalone mode",
    "       | r e d i s ||      Port: " + String(port),
    "       |___________|/      PID: " + String(Deno.pid),
    "",
  ];
}

/** A fault of our own, or the number of a signal, with all that helps to find it. */
export function logCrash(server: Server, fault: unknown): void {
  const { logger, settings } = server;
  const name = fault instanceof Error ? `${fault.name}: ${fault.message}` : String(fault);
  const report = [
    "=== MINIREDIS BUG REPORT START: Cut & paste starting from here ===",
    `miniredis ${VERSION} crashed${
      typeof fault === "number" ? ` by signal: ${fault}` : `: ${name}`
    }`,
  ];
  if (settings.isOn("crash-log-enabled")) {
    const stack = fault instanceof Error ? fault.stack ?? "" : "";
    report.push(
      "------ STACK TRACE ------",
      ...stack.split("\n").slice(1).map((line) => line.trim()),
      "------ STATE ------",
      `deno=${Deno.version.deno} target=${Deno.build.target} clients=${server.sessions.size} ` +
        `used_memory=${server.usedMemory} uptime_ms=${server.now() - server.started}`,
    );
  }
  report.push("=== MINIREDIS BUG REPORT END. ===");
  for (const line of report) logger.log("warning", line);
}
