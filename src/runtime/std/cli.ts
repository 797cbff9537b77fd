/**
 * `@std/cli`: command line arguments and secrets.
 *
 * @module
 */

// File by file, since the package's `mod.js` also imports a data file that it doesn't ship.
// @ts-types="./cli.d.ts"
export { parseArgs } from "deno-std/cli/parse_args.js";
// @ts-types="./cli.d.ts"
export { promptSecret } from "deno-std/cli/prompt_secret.js";
export type { ParseArgsOptions, ParsedArgs, PromptSecretOptions } from "./cli.d.ts";
