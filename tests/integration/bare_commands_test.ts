/** The three subcommands with nothing but what the README tells to type: they find each other. */

import { assertEquals } from "@std/assert";
import { LoggingProcess } from "../support/logging_process.ts";
import { runProgram } from "../support/program.ts";
import { testUnless } from "../support/test_where.ts";

const SERVER_PORT = 6380;
const ROUTER_PORT = 6379;

/** Why this can't be tried on a machine where somebody else has one of the ports. */
function obstacle(): string | undefined {
  for (const port of [SERVER_PORT, ROUTER_PORT]) {
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
      return `port ${port} is in use here`;
    }
  }
  return undefined;
}

testUnless(
  obstacle(),
  "server --port 6380, monitor and client work together with no other option",
  async () => {
    const folder = await Deno.makeTempDir({ prefix: "bare-commands-" });
    try {
      const words = ["server", "--port", String(SERVER_PORT)];
      await using _server = await LoggingProcess.start(words, /Ready to accept/, folder);
      await using monitor = await LoggingProcess.start(["monitor"], /mode=router/, folder);
      const written = await runProgram(["client"], "SET greeting hello\nGET greeting\n");
      assertEquals(written, { code: 0, stdout: "OK\nhello\n", stderr: "" });
      // Who asks the server itself sees that the monitor has passed it on.
      const read = await runProgram(["client", "-p", String(SERVER_PORT), "GET", "greeting"]);
      assertEquals(read, { code: 0, stdout: "hello\n", stderr: "" });
      const gone = await runProgram(["client", "-p", String(SERVER_PORT), "DEL", "greeting"]);
      assertEquals(gone.stdout, "1\n");
      await monitor.end("SIGINT");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  },
);
