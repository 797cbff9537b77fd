/**
 * The versions that `--version`, `INFO` and `HELLO` tell.
 *
 * @module
 */

import config from "../../deno.json" with { type: "json" };

/** The version of miniredis; `deno.json` is the one place where it stands. */
export const VERSION: string = config.version;

/** The version of Redis whose behaviour, texts and formats this program keeps to. */
export const REDIS_VERSION = "7.0.15";
