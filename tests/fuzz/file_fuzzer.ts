/**
 * Loads broken files, and looks at what is left.
 *
 * @module
 */
import { defaultLimits } from "../../src/commands/context.ts";
import { checkKeyspace } from "../../src/keyspace/checking.ts";
import { datasetDigest } from "../../src/keyspace/digest.ts";
import { flushDatabases } from "../../src/keyspace/flushing.ts";
import { Keyspace } from "../../src/keyspace/keyspace.ts";
import {
  formatManifest,
  ManifestError,
  parseManifest,
} from "../../src/persistence/aof_manifest.ts";
import { LoadError } from "../../src/persistence/rdb_frame.ts";
import { type LoadForm, RdbLoader } from "../../src/persistence/rdb_loader.ts";
import { RdbWindow } from "../../src/persistence/rdb_window.ts";
import type { InputFile } from "../../src/runtime/files.ts";
import { MemoryFiles } from "../support/memory_files.ts";
import { restorePayload } from "../support/restore_payload.ts";
import {
  type MemoryConnection,
  type MemoryServer,
  startMemoryServer,
} from "../support/memory_server.ts";
import { type Bytes, mutated, mutatedCommands, withChecksum } from "./file_mutations.ts";
import {
  asCommands,
  FOLLOWING,
  type Kind,
  KINDS,
  makeSeeds,
  type Seeds,
  snapshotOf,
} from "./file_seeds.ts";
import { RandomSource } from "./random_source.ts";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** What became of the files. */
export interface FileTally {
  /** How many there were, */
  files: number;
  /** how many of them were loaded, */
  loaded: number;
  /** and how many refused. */
  refused: number;
  /** The longest time that one took, in ms, */
  slowestMs: number;
  /** and which one that was. */
  slowest: number;
}

/** A file that made something go wrong. */
export class FileFault extends Error {
  override name = "FileFault";

  /** Says what, for the file of number `index`. */
  constructor(
    readonly kind: Kind,
    readonly index: number,
    readonly bytes: Bytes,
    reason: string,
    cause?: unknown,
  ) {
    super(`${kind} file ${index}: ${reason}`, { cause });
  }
}

/** Which files. */
export interface FileFuzzOptions {
  /** Files come from it. */
  readonly seed: number;
  /** The first one's number. */
  readonly from: number;
  /** How many. */
  readonly files: number;
  /** Kinds in turn. */
  readonly kinds: readonly Kind[];
  /** Called before each file. */
  readonly began?: (index: number) => void;
}

/** Data may take so many times the bytes of its file (compressed zeros do)... */
const MOST_GROWTH = 300;
/** ... and this. */
const SPARE_BYTES = 4 * 1024 * 1024;
/** A file that takes longer hangs. */
const MOST_MS = 3000;
/** How many of the broken files have no changes behind which a checksum is put right. */
const UNREPAIRED = 0.2;
/** How many append-only files are odd only in what their commands say. */
const WHOLE_COMMANDS = 0.5;
/** How many files of a kind that can be loaded without a server are loaded by one nevertheless. */
const BY_SERVER = 0.1;
/** Servers live for so many files. */
const SERVER_FILES = 2000;

/** Loads broken files; what became of them. @throws {FileFault} if something is wrong. */
export async function fuzzFiles(options: FileFuzzOptions): Promise<FileTally> {
  const tally: FileTally = { files: 0, loaded: 0, refused: 0, slowestMs: 0, slowest: -1 };
  const fuzzer = new FileFuzzer(await makeSeeds());
  try {
    for (let index = options.from; index < options.from + options.files; index++) {
      options.began?.(index);
      const kind = options.kinds[index % options.kinds.length];
      const before = performance.now();
      const loaded = await fuzzer.play(kind, options.seed, index);
      const elapsed = performance.now() - before;
      tally.files++;
      if (loaded) tally.loaded++;
      else tally.refused++;
      if (elapsed > tally.slowestMs) {
        tally.slowestMs = elapsed;
        tally.slowest = index;
      }
    }
  } finally {
    await fuzzer.end();
  }
  return tally;
}

/** Makes and loads files. */
class FileFuzzer {
  private readonly keyspace = new Keyspace(16, 1, 2);
  private readonly second = new Keyspace(16, 3, 4);
  private disk = new MemoryFiles();
  private machine: MemoryServer | null = null;
  private client!: MemoryConnection;
  private machineFiles = 0;

  constructor(private readonly seeds: Seeds) {}

  /** Plays one file; whether it was loaded. */
  async play(kind: Kind, seed: number, index: number): Promise<boolean> {
    const source = new RandomSource(seed, index);
    const seeds = this.seeds[kind];
    const donor = source.pick(this.seeds[source.chance(0.8) ? kind : source.pick(KINDS)]);
    let bytes = kind === "aof" && source.chance(WHOLE_COMMANDS)
      ? this.commands(source)
      : mutated(source.pick(seeds), donor, source);
    const repairs = !source.chance(UNREPAIRED);
    if (repairs && kind === "rdb") bytes = withChecksum(bytes);
    if (repairs && kind === "restore") bytes = withPayloadChecksum(bytes);
    const started = performance.now();
    try {
      const loaded = await this.load(kind, bytes, source);
      const elapsed = performance.now() - started;
      if (elapsed > MOST_MS) throw new Error(`it took ${elapsed.toFixed(0)} ms`);
      return loaded;
    } catch (error) {
      throw new FileFault(kind, index, bytes, (error as Error).message, error);
    }
  }

  /** Commands that are whole, but odd, mostly behind a file that is whole. */
  private commands(source: RandomSource): Bytes {
    const start = source.pick(this.seeds.aof);
    const script = [...source.pick(FOLLOWING), ...source.pick(FOLLOWING)];
    const commands = mutatedCommands(script, source.pick(FOLLOWING), source);
    return source.chance(0.8) ? joinBytes([start, commands]) : commands;
  }

  /** Ends the server. */
  async end(): Promise<void> {
    await this.machine?.[Symbol.asyncDispose]();
    this.machine = null;
  }

  private async load(kind: Kind, bytes: Bytes, source: RandomSource): Promise<boolean> {
    switch (kind) {
      case "rdb":
        return source.chance(BY_SERVER) ? await this.reload(bytes) : this.loadSnapshot(bytes);
      case "aof":
        return await this.replay(bytes);
      case "manifest":
        return source.chance(BY_SERVER) ? await this.start(bytes) : readManifest(bytes);
      case "restore":
        return await this.restore(bytes);
    }
  }

  /** Loads a snapshot without a server. */
  private loadSnapshot(bytes: Bytes): boolean {
    const { keyspace } = this;
    clear(keyspace);
    const before = keyspace.arena.usedBytes;
    const refusal = loadInto(keyspace, bytes);
    const grown = keyspace.arena.usedBytes - before;
    if (grown > bytes.length * MOST_GROWTH + SPARE_BYTES) throw new Error(`it took ${grown} bytes`);
    checkKeyspace(keyspace);
    if (refusal !== null) {
      if (refusal.message === "") throw new Error("the reason is missing");
      if (refusal.position >= 0 && refusal.position <= bytes.length) return false;
      throw new Error(`it is at fault at byte ${refusal.position}`);
    }
    this.mustSurvive(keyspace, source01(bytes));
    return true;
  }

  /** Asserts that what is in `keyspace` is the same after it was saved and loaded. */
  private mustSurvive(keyspace: Keyspace, compress: boolean): void {
    const { second } = this;
    const digest = datasetDigest(keyspace);
    const saved = snapshotOf(keyspace, compress, "none");
    clear(second);
    const refusal = loadInto(second, saved);
    if (refusal !== null) throw new Error(`what was saved is refused: ${refusal.message}`);
    checkKeyspace(second);
    if (datasetDigest(second) !== digest) throw new Error("what was saved is another thing");
  }

  /** Asserts that what the server has is the same after commands that make it were written and replayed. */
  private async mustSurviveAsCommands(): Promise<void> {
    const { server: { keyspace }, log } = this.machine!;
    const commands = asCommands(keyspace);
    // A small sorted set doesn't keep this score, and each one is small at first.
    if (latin1.decode(commands).includes("\r\n-0\r\n")) return;
    const digest = datasetDigest(keyspace);
    this.disk.write("/data/appendonlydir/appendonly.aof.manifest", MANIFEST);
    this.disk.write("/data/appendonlydir/appendonly.aof.1.incr.aof", commands);
    const reply = await this.client.ask("DEBUG", "LOADAOF");
    if (reply !== "OK") {
      throw new Error(`commands are refused: ${reply} ${log.slice(-3).join("\n")}`);
    }
    await this.mustBeSound();
    if (datasetDigest(keyspace) !== digest) throw new Error("commands make another thing");
    const refused = log.find((line) => line.includes("CRITICAL"));
    if (refused !== undefined) throw new Error(refused);
  }

  /** Has a server load a snapshot. */
  private async reload(bytes: Bytes): Promise<boolean> {
    const client = await this.server();
    this.disk.write("/data/dump.rdb", bytes);
    this.machine!.log.length = 0;
    await client.ask("SET", "old", "x");
    const reply = await client.ask("DEBUG", "RELOAD", "NOSAVE");
    await this.mustBeSound();
    if (reply === "OK") {
      await this.mustSurviveAsCommands();
      return true;
    }
    if (reply !== "-ERR Error trying to load the RDB dump, check server logs") {
      throw new Error(String(reply));
    }
    this.mustTellOffset();
    return false;
  }

  /** Has a server replay an append-only file. */
  private async replay(bytes: Bytes): Promise<boolean> {
    const client = await this.server();
    this.disk.write("/data/appendonlydir/appendonly.aof.manifest", MANIFEST);
    this.disk.write("/data/appendonlydir/appendonly.aof.1.incr.aof", bytes);
    const { server, log } = this.machine!;
    log.length = 0;
    const reply = await client.ask("DEBUG", "LOADAOF");
    if (server.isStopping) {
      await this.end();
      return false;
    }
    await this.mustBeSound();
    if (reply !== "OK") {
      if (reply !== "-ERR Error trying to load the AOF files, check server logs") {
        throw new Error(String(reply));
      }
      this.mustTellOffset();
      return false;
    }
    this.mustSurvive(server.keyspace, true);
    log.length = 0;
    await this.mustSurviveAsCommands();
    return true;
  }

  /** Has a server start with a manifest. */
  private async start(bytes: Bytes): Promise<boolean> {
    const disk = new MemoryFiles();
    disk.write("/data/appendonlydir/appendonly.aof.manifest", bytes);
    disk.write("/data/appendonlydir/a.aof.1.incr.aof", new Uint8Array(0));
    const machine = await startMemoryServer(1, { appendonly: "yes", save: "" }, { files: disk });
    let code: number | null = null;
    machine.server.finished.then((ended) => code = ended);
    while (machine.server.persistence.loading !== null) await turn();
    await turn();
    const ended: number | null = code;
    const last = machine.log.at(-1) ?? "";
    await machine[Symbol.asyncDispose]();
    if (ended === null) return true;
    if (ended !== 1 || !/fatal|manifest|AOF/i.test(last)) throw new Error(`${ended}: ${last}`);
    return false;
  }

  /** Restores a payload, and asserts that one that is refused changes nothing. */
  private async restore(bytes: Bytes): Promise<boolean> {
    const client = await this.server();
    await client.ask("SET", "key", "kept");
    const reply = await client.ask("RESTORE", "key", "0", bytes, "REPLACE");
    const { keyspace } = this.machine!.server;
    while (keyspace.freeDying(100));
    checkKeyspace(keyspace);
    if (reply === "OK") {
      const dumped = await client.askRaw("DUMP", "key");
      const digest = await client.ask("DEBUG", "DIGEST-VALUE", "key");
      const payload = Uint8Array.from(
        dumped.slice(dumped.indexOf("\n") + 1, -2),
        (character) => character.charCodeAt(0),
      );
      const again = await client.ask("RESTORE", "key", "0", payload, "REPLACE");
      if (again !== "OK") throw new Error(`what it was dumped as is refused: ${again}`);
      const same = await client.ask("DEBUG", "DIGEST-VALUE", "key");
      if (String(same) !== String(digest)) throw new Error("what was dumped is another thing");
      return true;
    }
    if (
      !/^-ERR (Bad data format|DUMP payload version or checksum are wrong)$/.test(String(reply))
    ) {
      throw new Error(String(reply));
    }
    if (await client.ask("GET", "key") !== "kept") throw new Error("the key isn't what it was");
    return false;
  }

  /** A connection to a server that is not too old. */
  private async server(): Promise<MemoryConnection> {
    if (this.machine !== null && ++this.machineFiles > SERVER_FILES) await this.end();
    if (this.machine === null) {
      this.disk = new MemoryFiles();
      this.machine = await startMemoryServer(1, { save: "" }, { files: this.disk });
      this.client = await this.machine.connect();
      this.machineFiles = 0;
    }
    return this.client;
  }

  private async mustBeSound(): Promise<void> {
    const { server, log } = this.machine!;
    if (server.isStopping) throw new Error(`it has crashed: ${log.slice(-12).join("\n")}`);
    checkKeyspace(server.keyspace);
    const digest = await this.client.ask("DEBUG", "DIGEST");
    if (!/^[0-9a-f]{40}$/.test(String(digest))) throw new Error(`DEBUG DIGEST says: ${digest}`);
  }

  /** The log says where the file is wrong, or which of several is. */
  private mustTellOffset(): void {
    const { log } = this.machine!;
    const tells = log.some((line) => /offset \d+|at byte \d+|Out of memory|Short read/.test(line));
    if (!tells) throw new Error(`the log doesn't say where: ${log.slice(-5).join("\n")}`);
  }
}

const latin1 = new TextDecoder("latin1");
const MANIFEST = new TextEncoder().encode("file appendonly.aof.1.incr.aof seq 1 type i\n");

/** Reads a manifest; whether it is one. */
function readManifest(bytes: Bytes): boolean {
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
  try {
    const manifest = parseManifest(text);
    const again = formatManifest(manifest);
    if (again !== "" && formatManifest(parseManifest(again)) !== again) {
      throw new Error("a manifest that is written again is another one");
    }
    return true;
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    if (error.message === "" || error.logTexts.length === 0) {
      throw new Error("the reason is missing");
    }
    return false;
  }
}

/** Loads a snapshot; why that failed, or null. */
function loadInto(keyspace: Keyspace, bytes: Bytes): LoadError | null {
  const form: LoadForm = {
    limits: defaultLimits(),
    keepsExpired: true,
    checksum: true,
    merges: false,
    isSlow: () => false,
    log: () => {},
  };
  try {
    const loader = new RdbLoader(keyspace, new RdbWindow(new BytesFile(bytes)), form);
    while (!loader.loadSome(() => false));
    return null;
  } catch (error) {
    if (error instanceof LoadError) return error;
    throw error;
  }
}

/** A file that is bytes in memory. */
class BytesFile implements InputFile {
  private position = 0;

  constructor(private readonly bytes: Bytes) {}

  get size(): number {
    return this.bytes.length;
  }

  read(room: Uint8Array): number {
    const part = this.bytes.subarray(this.position, this.position + room.length);
    room.set(part);
    this.position += part.length;
    return part.length;
  }

  seek(position: number): void {
    this.position = position;
  }

  close(): void {}
}

function clear(keyspace: Keyspace): void {
  flushDatabases(keyspace, keyspace.databases, false);
  while (keyspace.freeDying(1000));
}

/** A choice that is the same for the same bytes. */
function source01(bytes: Bytes): boolean {
  return (bytes[bytes.length >> 1] & 1) === 0;
}

function withPayloadChecksum(bytes: Bytes): Bytes {
  // The footer's version stands in front of its checksum.
  const body = bytes.subarray(0, Math.max(0, bytes.length - 10));
  return restorePayload(body) as Bytes;
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
