/**
 * A Redis-compatible server, to be started within a program.
 *
 * @module
 */
export { Server, type ServerEnvironment, type ServerOptions, startServer } from "./server.ts";
export { type Setting, SETTINGS, SettingsError } from "./settings.ts";
