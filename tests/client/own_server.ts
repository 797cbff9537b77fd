import { startServer } from "../../src/server/mod.ts";
import { MemoryFiles } from "../support/memory_files.ts";

/** Runs a test at a server of this project, which writes nothing to the disk. */
export async function withServer(test: (port: number) => Promise<unknown>): Promise<void> {
  const server = await startServer({ port: "0", bind: "127.0.0.1" }, {
    log: () => {},
    files: new MemoryFiles(),
  });
  try {
    await test(server.port);
  } finally {
    await server.shutDownNow();
  }
}
