import { assertEquals } from "@std/assert";
import { consoleSink, Logger } from "../../src/runtime/logging.ts";

Deno.test("logging: a standard output that takes nothing doesn't stop who logs", () => {
  const { writeSync } = Deno.stdout;
  const faults = [
    new Deno.errors.BrokenPipe("nobody reads"),
    new Deno.errors.WouldBlock("the pipe is full and doesn't wait"),
    new Deno.errors.BadResource("it is closed"),
    new Error("No space left on device (os error 28)"),
  ];
  let tried = 0;
  try {
    const logger = new Logger(consoleSink, () => 0);
    for (const fault of faults) {
      Deno.stdout.writeSync = () => {
        tried++;
        throw fault;
      };
      logger.log("warning", "a line that is lost");
    }
  } finally {
    Deno.stdout.writeSync = writeSync;
  }
  assertEquals(tried, faults.length);
});
