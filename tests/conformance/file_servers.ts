/**
 * A redis-server and a server of ours that start with files and leave files: each writes what the other loads.
 *
 * @module
 */
import { latin1Text } from "../../src/client/quoting.ts";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { HandClock, type MemoryConnection, startMemoryServer } from "../support/memory_server.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import type { VirtualDisk } from "../support/virtual_disk.ts";
import { connectSoon, parseReply, type ReplyNode } from "../support/reference_redis.ts";
import type { Words } from "../support/file_samples.ts";
import { encodeStep, ReplyMode } from "./step.ts";
import { Peer } from "./peers.ts";

/** The folder that ours has its files in. */
const OUR_FOLDER = "/data";
const PIPELINED = 200;
const DATABASES = 16;
/** How many nodes a stream has: as with encodings, that depends on how it came about. */
const STREAM_SHAPE = / \$radix-tree-keys :\d+ \$radix-tree-nodes :\d+/;

/** Files by name, below the folder of a server. */
export type FileSet = ReadonlyMap<string, Uint8Array>;

/** A server that tests of files talk to. */
export interface FileServer extends AsyncDisposable {
  /** Runs commands one after the other; the bytes of their replies, a byte a character. */
  run(commands: readonly Words[]): Promise<string[]>;
  /** Lets its time pass. */
  pass(ms: number): Promise<void>;
  /** Waits until it writes nothing beside its clients any more. */
  settle(): Promise<void>;
  /** The files in its folder. */
  files(): Promise<FileSet>;
  /** What it has logged. */
  log(): Promise<string>;
}

/** Files, that a server starts with, on a disk of ours. */
export function memoryFiles(files: FileSet): MemoryFiles {
  const disk = new MemoryFiles();
  for (const [name, bytes] of files) disk.write(`${OUR_FOLDER}/${name}`, bytes);
  return disk;
}

/** The files on a disk of ours. */
export function filesOn(disk: VirtualDisk): FileSet {
  const prefix = `${OUR_FOLDER}/`;
  return new Map(
    disk.paths().filter((path) => path.startsWith(prefix))
      .map((path) => [path.slice(prefix.length), disk.read(path)]),
  );
}

/** A server of ours, in memory. */
export class OurServer implements FileServer {
  private constructor(
    private readonly machine: Awaited<ReturnType<typeof startMemoryServer>>,
    readonly connection: MemoryConnection,
    readonly disk: VirtualDisk,
    private readonly clock: HandClock,
  ) {}

  /**
   * Starts one with `files`, at today's time.
   *
   * @throws {Error} with its log, if it ends instead.
   */
  static async start(
    files: FileSet,
    options: Readonly<Record<string, string>> = {},
    disk: VirtualDisk = memoryFiles(files),
  ): Promise<OurServer> {
    const clock = new HandClock();
    clock.advance(Date.now() - clock.now());
    const environment = { clock, files: disk.process() };
    const machine = await startMemoryServer(3, { save: "", ...options }, environment);
    let ended = false;
    machine.server.finished.then(() => ended = true);
    while (machine.server.persistence.loading !== null) await later();
    await later();
    if (ended) throw new Error(machine.log.join("\n"));
    return new OurServer(machine, await machine.connect(), disk, clock);
  }

  pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    return Promise.resolve();
  }

  async run(commands: readonly Words[]): Promise<string[]> {
    const replies: string[] = [];
    for (const words of commands) {
      replies.push(await this.connection.askRaw(...words.map(latin1Bytes)));
    }
    return replies;
  }

  async settle(): Promise<void> {
    const { persistence } = this.machine.server;
    while (persistence.rewriting || persistence.saving) await later();
    await later();
  }

  files(): Promise<FileSet> {
    const { aof } = this.machine.server.persistence;
    aof.writer.flushNow();
    return Promise.resolve(filesOn(this.disk));
  }

  log(): Promise<string> {
    return Promise.resolve(this.machine.log.join("\n"));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.machine[Symbol.asyncDispose]();
  }
}

/** A redis-server in a folder of its own. */
export class RedisServer implements FileServer {
  private constructor(
    private readonly process: Deno.ChildProcess,
    private readonly folder: string,
    private readonly peer: Peer,
  ) {}

  /**
   * Starts one with `files`.
   *
   * @throws {Error} with its log, if it ends instead.
   */
  static async start(
    files: FileSet,
    options: Readonly<Record<string, string>> = {},
  ): Promise<RedisServer> {
    const folder = await Deno.makeTempDir({ prefix: "file-servers-" });
    await writeFiles(folder, files);
    const given = Object.entries({
      port: "0",
      unixsocket: `${folder}/redis.sock`,
      logfile: `${folder}/redis.log`,
      dir: folder,
      save: "",
      "enable-debug-command": "yes",
      // A file that is at fault isn't to be looked at for long.
      "crash-log-enabled": "no",
      ...options,
    });
    const process = new Deno.Command("redis-server", {
      args: given.flatMap(([name, value]) => [`--${name}`, value]),
      env: { LC_ALL: "C" },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const peer = new Peer("redis-server", () => connectSoon(`${folder}/redis.sock`));
    const server = new RedisServer(process, folder, peer);
    try {
      const ended = process.status.then(() => Promise.reject(new Error("it has ended")));
      await Promise.race([server.ready(), ended]);
      return server;
    } catch {
      const log = await server.log();
      await server[Symbol.asyncDispose]();
      throw new Error(log);
    }
  }

  private async ready(): Promise<void> {
    await this.peer.reconnect();
    for (;;) {
      const [reply] = await this.run([["GET", "none"]]);
      if (!reply.startsWith("-LOADING")) return;
      await later();
    }
  }

  async run(commands: readonly Words[]): Promise<string[]> {
    return await runOn(this.peer, commands);
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, ms));
  }

  async settle(): Promise<void> {
    for (;;) {
      const [reply] = await this.run([["INFO", "persistence"]]);
      if (!/(bgsave|rewrite)_(in_progress|scheduled):1/.test(reply)) return;
      await later();
    }
  }

  async files(): Promise<FileSet> {
    return await readFiles(this.folder);
  }

  async log(): Promise<string> {
    return await Deno.readTextFile(`${this.folder}/redis.log`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.peer.close();
    try {
      this.process.kill("SIGKILL");
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
    await this.process.status;
    await Deno.remove(this.folder, { recursive: true });
  }
}

/**
 * Runs commands one after the other on a server; the bytes of their replies, a byte a character.
 *
 * @throws {Error} It has stopped to answer.
 */
export async function runOn(peer: Peer, commands: readonly Words[]): Promise<string[]> {
  const replies: string[] = [];
  const mode = new ReplyMode();
  for (let from = 0; from < commands.length; from += PIPELINED) {
    const steps = commands.slice(from, from + PIPELINED).map((words) => ({ words }));
    const count = steps.reduce((sum, step) => sum + mode.answers(step), 0);
    const request = new Uint8Array(
      await new Blob(steps.map((step) => encodeStep(step) as BlobPart)).arrayBuffer(),
    );
    const answers = await peer.exchange(request, count);
    if (answers.trouble !== undefined) throw new Error(`${peer.name}: ${answers.trouble}`);
    replies.push(...answers.replies.map(latin1Text));
  }
  return replies;
}

/** Writes files into a folder. */
export async function writeFiles(folder: string, files: FileSet): Promise<void> {
  for (const [name, bytes] of files) {
    const at = name.lastIndexOf("/");
    if (at > 0) await Deno.mkdir(`${folder}/${name.slice(0, at)}`, { recursive: true });
    await Deno.writeFile(`${folder}/${name}`, bytes);
  }
}

async function readFiles(folder: string, below = ""): Promise<FileSet> {
  const files = new Map<string, Uint8Array>();
  for await (const { name, isDirectory, isFile } of Deno.readDir(`${folder}/${below}`)) {
    const path = `${below}${name}`;
    if (isDirectory) {
      for (const [inner, bytes] of await readFiles(folder, `${path}/`)) files.set(inner, bytes);
    } else if (isFile && !/^redis\.(sock|log)$/.test(path)) {
      files.set(path, await Deno.readFile(`${folder}/${path}`));
    }
  }
  return files;
}

/** What is compared. */
export interface ContentOptions {
  /** Whether the times when consumers were seen are the same. @default true */
  readonly seen?: boolean;
  /** Whether the groups of streams count: what Redis writes of a reading lacks some of what it does. @default true */
  readonly groups?: boolean;
  /** Whether encodings are told: two servers that didn't load the same needn't have the same. @default true */
  readonly encodings?: boolean;
}

/** All that is in a server: `DEBUG DIGEST`, and a line a key. */
export async function contentsOf(
  server: Pick<FileServer, "run">,
  { seen = true, groups = true, encodings = true }: ContentOptions = {},
): Promise<Map<string, string>> {
  const contents = new Map<string, string>();
  contents.set("(digest)", (await server.run([["DEBUG", "DIGEST"]]))[0]);
  for (let database = 0; database < DATABASES; database++) {
    const [, listed] = await server.run([["SELECT", String(database)], ["KEYS", "*"]]);
    const keys = parseReply(listed).items.map(({ text }) => text!);
    const questions = keys.flatMap((key) => [
      ["TYPE", key],
      ["PEXPIRETIME", key],
      ["OBJECT", "ENCODING", key],
      ["DEBUG", "DIGEST-VALUE", key],
      // Other types say that they are none.
      ["XINFO", "STREAM", key, "FULL", "COUNT", "0"],
    ]);
    const replies = await server.run(questions);
    for (const [index, key] of keys.entries()) {
      const [type, expiry, encoding, digest, stream] = replies.slice(index * 5, index * 5 + 5);
      const parts = [type, expiry, encodings ? encoding : "", digest];
      if (groups && type === "+stream\r\n") {
        const told = shown(parseReply(stream), seen);
        parts.push(encodings ? told : told.replace(STREAM_SHAPE, ""));
      }
      contents.set(`${database}:${key}`, parts.join(" "));
    }
  }
  return contents;
}

/** A reply as text, without the times when consumers were seen unless they matter. */
function shown(node: ReplyNode, seen: boolean): string {
  if (node.items.length === 0) return `${node.marker}${node.text}`;
  const items = node.items.map((item, index) =>
    !seen && node.items[index - 1]?.text === "seen-time" ? "_" : shown(item, seen)
  );
  return `[${items.join(" ")}]`;
}

/** Where two servers differ, a line each; none if they don't. */
export function differences(
  expected: ReadonlyMap<string, string>,
  actual: ReadonlyMap<string, string>,
): string[] {
  const lines: string[] = [];
  for (const key of new Set([...expected.keys(), ...actual.keys()])) {
    const [left, right] = [expected.get(key), actual.get(key)];
    if (left === right) continue;
    const at = left === undefined || right === undefined
      ? 0
      : [...left].findIndex((character, index) => character !== right[index]);
    const part = (text?: string) => JSON.stringify(text?.slice(Math.max(0, at - 60), at + 100));
    lines.push(`${JSON.stringify(key.slice(0, 80))}: ${part(left)} and ${part(right)}`);
  }
  return lines;
}

function later(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 1));
}
