/**
 * The commands about the connection itself: greeting, authentication, the selected database.
 *
 * @module
 */

import type { CommandSpec } from "./types.ts";

/** The commands about the connection itself: greeting, authentication, the selected database. */
export const CONNECTION_SPECS = {
  ping: {
    summary: "Answers PONG, or with the message given.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    arity: -1,
    flags: ["fast"],
    acl: ["fast", "connection"],
    keys: [],
    tips: ["request_policy:all_shards", "response_policy:all_succeeded"],
    arguments: [{ name: "message", type: "string", flags: ["optional"] }],
  },
  echo: {
    summary: "Returns the message given.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    acl: ["fast", "connection"],
    keys: [],
    arguments: [{ name: "message", type: "string" }],
  },
  hello: {
    summary:
      "Greets the server: picks the protocol version, and can log in and name the connection.",
    since: "6.0.0",
    group: "connection",
    complexity: "O(1)",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    acl: ["fast", "connection"],
    keys: [],
    history: [["6.2.0", "Without arguments it only reports on the connection."]],
    arguments: [{
      name: "arguments",
      type: "block",
      flags: ["optional"],
      arguments: [
        { name: "protover", type: "integer" },
        {
          name: "username_password",
          type: "block",
          token: "AUTH",
          flags: ["optional"],
          arguments: [
            { name: "username", type: "string" },
            { name: "password", type: "string" },
          ],
        },
        { name: "clientname", type: "string", token: "SETNAME", flags: ["optional"] },
      ],
    }],
  },
  select: {
    summary: "Switches the connection to another database.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    arity: 2,
    flags: ["loading", "stale", "fast"],
    acl: ["fast", "connection"],
    keys: [],
    arguments: [{ name: "index", type: "integer" }],
  },
  quit: {
    summary: "Ends the connection after the replies still due.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(1)",
    arity: -1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    acl: ["fast", "connection"],
    keys: [],
  },
  reset: {
    summary: "Puts the connection back in the state of a new one.",
    since: "6.2.0",
    group: "connection",
    complexity: "O(1)",
    arity: 1,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    acl: ["fast", "connection"],
    keys: [],
  },
  auth: {
    summary: "Logs the connection in.",
    since: "1.0.0",
    group: "connection",
    complexity: "O(N), N being the number of passwords the user has.",
    arity: -2,
    flags: ["noscript", "loading", "stale", "fast", "no_auth", "allow_busy"],
    acl: ["fast", "connection"],
    keys: [],
    history: [["6.0.0", "Takes a user name before the password."]],
    arguments: [
      { name: "username", type: "string", since: "6.0.0", flags: ["optional"] },
      { name: "password", type: "string" },
    ],
  },
} as const satisfies Record<string, CommandSpec>;
