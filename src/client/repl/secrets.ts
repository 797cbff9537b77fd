/**
 * Which commands hold secrets, and so aren't written into the history.
 *
 * @module
 */

/** Settings whose values are secrets, or half of one. */
const SECRET_SETTINGS: readonly string[] = [
  "masterauth",
  "masteruser",
  "requirepass",
  "tls-client-key-file-pass",
  "tls-key-file-pass",
];

/** Likewise, of what a sentinel watches, and of the sentinel itself. */
const SENTINEL_SECRETS: readonly string[] = [
  "auth-pass",
  "auth-user",
  "sentinel-pass",
  "sentinel-user",
];

/** How many words behind an option of MIGRATE belong to it. */
const MIGRATE_SECRETS: ReadonlyMap<string, number> = new Map([["auth", 1], ["auth2", 2]]);

/**
 * Whether a command holds a secret: AUTH, ACL SETUSER, CONFIG SET of a password, HELLO with AUTH,
 * MIGRATE with AUTH or AUTH2, and SENTINEL SET or CONFIG SET of a password.
 *
 * @param words Its name and arguments.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 *
 * assert(holdsSecret(["CONFIG", "SET", "requirepass", "open sesame"]));
 * assert(!holdsSecret(["CONFIG", "GET", "requirepass"]));
 * ```
 */
export function holdsSecret(words: readonly string[]): boolean {
  const [name, ...args] = words.map((word) => word.toLowerCase());
  switch (name) {
    case "auth":
      return true;
    case "acl":
      return args[0] === "setuser";
    case "config":
      // One CONFIG SET may change several settings.
      return args[0] === "set" &&
        args.some((arg, index) => index % 2 === 1 && SECRET_SETTINGS.includes(arg));
    case "hello":
      return helloHasPassword(args);
    case "migrate":
      return migrateHasPassword(args);
    case "sentinel":
      return sentinelHasPassword(args);
    default:
      return false;
  }
}

/**
 * A guess at the words of a line whose quotes are out of order: a secret in it is one all the same.
 *
 * @param line What was typed.
 */
export function guessWords(line: string): string[] {
  return line.replaceAll(/["']/g, "").trim().split(/\s+/);
}

/** `HELLO version [SETNAME name] [AUTH user password]`, in any order. */
function helloHasPassword(args: readonly string[]): boolean {
  let at = 1;
  while (args[at] === "setname") at += 2;
  return args[at] === "auth" && args.length > at + 2;
}

/** `MIGRATE host port key database timeout [option]... [KEYS key...]` */
function migrateHasPassword(args: readonly string[]): boolean {
  for (let at = 5; at < args.length && args[at] !== "keys"; at++) {
    const secrets = MIGRATE_SECRETS.get(args[at]);
    if (secrets !== undefined && args.length > at + secrets) return true;
  }
  return false;
}

/** `SENTINEL SET master [option value]...`, `SENTINEL CONFIG SET name value` */
function sentinelHasPassword(args: readonly string[]): boolean {
  const changes = args[0] === "set" || (args[0] === "config" && args[1] === "set");
  // The last word is a value, or an option without one.
  return changes && args.slice(2, -1).some((arg) => SENTINEL_SECRETS.includes(arg));
}
