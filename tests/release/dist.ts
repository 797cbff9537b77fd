/**
 * Makes the downloads: for each system an archive with the executable, the license and the README,
 * and a file with the checksums of all archives of this version.
 *
 * What can't be made is named at the end, and makes the exit code 1; the rest is made all the same.
 * The same sources and the same Deno make the same bytes.
 *
 * @module
 */
import config from "../../deno.json" with { type: "json" };
import { parseArgs } from "@std/cli";
import { type ArchiveEntry, packTarGz, packZip } from "./archives.ts";
import { CompilationError, compileFor, fetchPackages, ROOT } from "./compilation.ts";
import { type Target, TARGETS } from "./targets.ts";
import { Workshop } from "./workshop.ts";

const USAGE = `deno run -A tests/release/dist.ts [target...] [options]

  --limit S   gives up on a target after so many seconds (300)
  --out DIR   where the archives go (dist)

Targets, all of them unless told otherwise:
${TARGETS.map(({ name }) => `  ${name}`).join("\n")}

SOURCE_DATE_EPOCH is the time that the files in the archives get, in unix seconds (1980-01-01).
`;

const CHECKSUMS = "SHA256SUMS";
const LIMIT_SECONDS = 300;
/** The first time that both kinds of archives know. */
const FIRST_SECOND = Date.UTC(1980, 0) / 1000;
/** What lies beside the executable in each archive. */
const COMPANIONS = ["LICENSE", "README.md"];

/** What the command line asks for. */
interface Order {
  readonly targets: readonly Target[];
  readonly limitSeconds: number;
  readonly folder: string;
  /** Of all files, in unix seconds. */
  readonly time: number;
}

/** A command line that can't be followed. */
class UsageError extends Error {}

/** Reads the command line; null stands for a wish for help. */
function readOrder(args: readonly string[]): Order | null {
  const options = parseArgs([...args], {
    boolean: ["help"],
    string: ["limit", "out", "_"],
    unknown: (argument: string) => {
      if (argument.startsWith("-")) throw new UsageError(`unknown option ${argument}`);
      return true;
    },
  });
  if (options.help) return null;
  const targets = options._.map((name) => {
    const target = TARGETS.find((candidate) => candidate.name === name);
    if (target === undefined) throw new UsageError(`no target ${name}; --help lists them`);
    return target;
  });
  const limitSeconds = Number(options.limit ?? LIMIT_SECONDS);
  if (!(limitSeconds > 0)) throw new UsageError("--limit takes a number of seconds");
  const time = Number(Deno.env.get("SOURCE_DATE_EPOCH") ?? FIRST_SECOND);
  if (!Number.isInteger(time) || time < FIRST_SECOND) {
    throw new UsageError(`SOURCE_DATE_EPOCH is a unix time from ${FIRST_SECOND} on`);
  }
  const folder = typeof options.out === "string" ? options.out : "dist";
  return { targets: targets.length > 0 ? targets : TARGETS, limitSeconds, folder, time };
}

async function main(): Promise<number> {
  const order = readOrder(Deno.args);
  if (order === null) {
    console.log(USAGE);
    return 0;
  }
  Deno.mkdirSync(order.folder, { recursive: true });
  for (const target of order.targets) removeIfThere(archivePath(target, order.folder));
  const failures: string[] = [];
  const fail = (target: Target, { message }: CompilationError): void => {
    failures.push(`Not made: ${target.name}: ${message}`);
  };
  try {
    await makeArchives(order, fail);
  } catch (error) {
    if (!(error instanceof CompilationError)) throw error;
    for (const target of order.targets) fail(target, error);
  }
  await writeChecksums(order.folder);
  for (const line of failures) console.error(line);
  return failures.length === 0 ? 0 : 1;
}

/** Makes all archives; `fail` hears of each that can't be made. */
async function makeArchives(
  order: Order,
  fail: (target: Target, error: CompilationError) => void,
): Promise<void> {
  using workshop = await Workshop.open(
    order.time,
    (sources, cache) => fetchPackages(sources, cache, order.limitSeconds),
  );
  for (const target of order.targets) {
    try {
      console.log(await makeArchive(target, order, workshop));
    } catch (error) {
      if (!(error instanceof CompilationError)) throw error;
      fail(target, error);
    }
  }
}

/** What a download is called, and the folder in it, without the end of the name. */
function nameOf(target: Target): string {
  return `miniredis-${config.version}-${target.name}`;
}

function archivePath(target: Target, folder: string): string {
  return `${folder}/${nameOf(target)}${target.archive}`;
}

/** Makes one archive; a line about it. */
async function makeArchive(target: Target, order: Order, workshop: Workshop): Promise<string> {
  const name = nameOf(target);
  const executable = workshop.pathFor(target.executable);
  await compileFor(target, executable, workshop, order.limitSeconds);
  const entries: ArchiveEntry[] = [
    entryOf(`${name}/${target.executable}`, executable, true),
    ...COMPANIONS.map((file) => entryOf(`${name}/${file}`, new URL(file, ROOT), false)),
  ];
  entries.sort((one, other) => one.name < other.name ? -1 : 1);
  const pack = target.archive === ".zip" ? packZip : packTarGz;
  const bytes = await pack(entries, order.time);
  Deno.writeFileSync(archivePath(target, order.folder), bytes);
  const [whole, packed] = [Deno.statSync(executable).size, bytes.length].map(megabytes);
  return `Made: ${name}${target.archive}, ${packed} MB, the executable ${whole} MB`;
}

function entryOf(name: string, path: string | URL, isExecutable: boolean): ArchiveEntry {
  return { name, bytes: Deno.readFileSync(path), isExecutable };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(1);
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Writes the sums of all archives of this version, in the format of `sha256sum`. */
async function writeChecksums(folder: string): Promise<void> {
  const lines: string[] = [];
  for (const target of TARGETS) {
    const sum = await checksum(archivePath(target, folder));
    if (sum !== undefined) lines.push(`${sum}  ${nameOf(target)}${target.archive}\n`);
  }
  Deno.writeTextFileSync(`${folder}/${CHECKSUMS}`, lines.sort().join(""));
}

async function checksum(path: string): Promise<string | undefined> {
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = Deno.readFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

try {
  Deno.exit(await main());
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  console.error(error.message);
  Deno.exit(2);
}
