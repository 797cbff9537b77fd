import { runSubcommand } from "./src/runtime/subcommands.ts";

// Each subcommand is loaded when it is picked, so that a client starts without the server's code.
const exitCode = await runSubcommand(Deno.args, {
  server: {
    summary: "Run a server (port 6379 by default)",
    run: async (args) => (await import("./src/server/cli.ts")).runServer(args),
  },
  client: {
    summary: "Talk to a server (127.0.0.1:6379 by default)",
    run: async (args) => (await import("./src/client/cli.ts")).runClient(args),
  },
  monitor: {
    summary: "Put one address in front of a master and its replicas",
    run: async (args) => (await import("./src/monitor/cli.ts")).runMonitor(args),
  },
});
Deno.exit(exitCode);
