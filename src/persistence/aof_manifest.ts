/**
 * The manifest of an append-only file: which files make it up, and in which order they are read.
 *
 * Since Redis 7.0 the append-only file is a folder with a list in it:
 *
 * ```text
 * file appendonly.aof.2.base.rdb seq 2 type b
 * file appendonly.aof.1.incr.aof seq 1 type h
 * file appendonly.aof.2.incr.aof seq 2 type i
 * file appendonly.aof.3.incr.aof seq 3 type i
 * ```
 *
 * The data is that of the base ("b", at most one), and on top of it the commands of the increments
 * ("i") in the order of their numbers. What is history ("h") counts no more, and is about to be removed.
 * There are several increments while the base is rewritten, or after that failed: commands go to a new one
 * from the moment whose data the new base holds, so that all before can be dropped together.
 *
 * **A manifest never changes**; the functions here make the next one. A rewriting server puts the new
 * one on the disk first (in the place of the old one, in a single step) and takes it for its own only when
 * that has worked: whoever reads the folder, and whenever, finds a whole list whose files are there.
 *
 * ```text
 * the rewrite starts      withNewIncrement                            commands go to the new file
 * the new base is whole   withNewBase, then withRewrittenIncrements   the old files become history
 * they are removed        withoutHistory
 * ```
 *
 * Rules and error texts are those of Redis 7.0.
 *
 * @module
 */
import { ByteAccumulator } from "../protocol/byte_accumulator.ts";
import { appendQuoted } from "../protocol/quoted_bytes.ts";
import { parseRequest, REQUEST_COMPLETE, RequestFrame } from "../protocol/request_parser.ts";

/** One of the files. */
export interface ManifestFile {
  /** Its name within the folder. */
  readonly name: string;
  /** Its number among those of its kind, from 1 on. */
  readonly sequence: number;
}

/** Which files make up an append-only file; see the head of this file. */
export interface AofManifest {
  /** The data that all starts with; without it, the increments are all there is. */
  readonly base?: ManifestFile;
  /** Files that count no more, in the order in which Redis lists them: what a rewrite leaves goes to the front. */
  readonly history: readonly ManifestFile[];
  /** Commands since the base, in order. */
  readonly increments: readonly ManifestFile[];
  /** The greatest number that a base has had, or 0. */
  readonly currentBaseSequence: number;
  /** The greatest number that an increment has had, or 0. */
  readonly currentIncrementSequence: number;
}

/** A manifest that can't be used. The message is Redis' for it. */
export class ManifestError extends Error {
  /**
   * Says what is wrong.
   *
   * @param line the number of the line, from 1 on
   * @param text the line, where Redis shows it
   */
  constructor(message: string, readonly line: number, readonly text?: string) {
    super(message);
    this.name = "ManifestError";
  }

  /** What Redis writes into the log before it ends, a text for each of its lines there. */
  get logTexts(): string[] {
    return [
      "\n*** FATAL AOF MANIFEST FILE ERROR ***\n",
      ...this.text === undefined
        ? []
        : [`Reading the manifest file, at line ${this.line}\n`, `>>> '${this.text}'\n`],
      `${this.message}\n`,
    ];
  }
}

/** A manifest without files. */
export const EMPTY_MANIFEST: AofManifest = {
  history: [],
  increments: [],
  currentBaseSequence: 0,
  currentIncrementSequence: 0,
};

/** Longest line in bytes, its end included. */
const LINE_LIMIT = 1024;
/** A line of fewer words lacks something; one of more comes from a later version. */
const LEAST_WORDS = 6;
const INVALID = "Invalid AOF manifest file format";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The name of the manifest of an append-only file. */
export function manifestName(appendFileName: string): string {
  return `${appendFileName}.manifest`;
}

/** The name that a manifest has until it is whole. */
export function temporaryManifestName(appendFileName: string): string {
  return `temp-${manifestName(appendFileName)}`;
}

/** The name of a base. */
export function baseName(appendFileName: string, sequence: number, asSnapshot: boolean): string {
  return `${appendFileName}.${sequence}.base.${asSnapshot ? "rdb" : "aof"}`;
}

/** The name of an increment. */
export function incrementName(appendFileName: string, sequence: number): string {
  return `${appendFileName}.${sequence}.incr.aof`;
}

/** The name that an increment has while the first base is made, and nobody needs it before that. */
export function temporaryIncrementName(appendFileName: string): string {
  return `temp-${appendFileName}.incr`;
}

/**
 * A manifest from its text.
 *
 * @throws {ManifestError} if it can't be used.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const manifest = parseManifest("file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
 * assertEquals(manifest.base, { name: "a.1.base.rdb", sequence: 1 });
 * assertEquals(manifest.increments, [{ name: "a.1.incr.aof", sequence: 1 }]);
 * ```
 */
export function parseManifest(text: string): AofManifest {
  if (text === "") throw new ManifestError("Found an empty AOF manifest", 0);
  let base: ManifestFile | undefined;
  const history: ManifestFile[] = [];
  const increments: ManifestFile[] = [];
  let currentIncrementSequence = 0;
  const lines = text.split("\n");
  // The last one is what stands behind the last end of a line.
  const unended = lines.pop()!;
  if (unended !== "") lines.push(unended);
  for (const [index, whole] of lines.entries()) {
    if (whole.startsWith("#")) continue;
    const number = index + 1;
    const isEnded = unended === "" || number < lines.length;
    if (!isEnded || whole.includes("\0") || encoder.encode(whole).length + 1 > LINE_LIMIT) {
      // Redis says the same of all three: it sees no end within what a line can be.
      throw new ManifestError("The AOF manifest file contains too long line", number);
    }
    const line = whole.replace(/^[ \t\r]+|[ \t\r]+$/g, "");
    const wrong = (what: string) => new ManifestError(what, number, line);
    const { type, ...file } = parseLine(line, wrong);
    switch (type) {
      case "b":
        if (base !== undefined) throw wrong("Found duplicate base file information");
        base = file;
        break;
      case "h":
        history.push(file);
        break;
      case "i":
        if (file.sequence <= currentIncrementSequence) {
          throw wrong("Found a non-monotonic sequence number");
        }
        increments.push(file);
        currentIncrementSequence = file.sequence;
        break;
      default:
        throw wrong("Unknown AOF file type");
    }
  }
  const currentBaseSequence = base?.sequence ?? 0;
  return { base, history, increments, currentBaseSequence, currentIncrementSequence };
}

/** The file that a line names, and its type. */
function parseLine(
  line: string,
  wrong: (what: string) => ManifestError,
): ManifestFile & { readonly type: string } {
  const words = splitWords(line);
  if (words === undefined || words.length < LEAST_WORDS || words.length % 2 !== 0) {
    throw wrong(INVALID);
  }
  let name = "";
  let sequence = 0;
  let type = "";
  for (let index = 0; index < words.length; index += 2) {
    const value = words[index + 1];
    switch (words[index].toLowerCase()) {
      case "file":
        if (/[/\\]/.test(value)) throw wrong("File can't be a path, just a filename");
        name = value;
        break;
      case "seq":
        sequence = parseSequence(value);
        break;
      case "type":
        type = value.slice(0, 1);
        break;
      default:
        // Later versions may say more of a file.
    }
  }
  if (name === "" || sequence === 0 || type === "") throw wrong(INVALID);
  return { name, sequence, type };
}

/** A number of a file; 0 if it is none, or none that this server could count on from. */
function parseSequence(text: string): number {
  const value = Number(/^\s*([+-]?\d+)/.exec(text)?.[1] ?? 0);
  return Number.isSafeInteger(value + 1) ? value : 0;
}

/** The words of a line, which may stand in quotes; undefined if those are out of order. */
function splitWords(line: string): string[] | undefined {
  // Requests that people type follow the same rules. With a space in front, no line looks like RESP.
  const bytes = encoder.encode(` ${line}\n`);
  const frame = new RequestFrame();
  if (parseRequest(frame, bytes, bytes.length, 0, true) !== REQUEST_COMPLETE) return undefined;
  return Array.from({ length: frame.argc }, (_, index) => {
    const start = frame.starts[index];
    return decoder.decode(bytes.subarray(start, start + frame.lengths[index]));
  });
}

/** The text of a manifest: the base, the history, the increments. */
export function formatManifest(manifest: AofManifest): string {
  const base = manifest.base === undefined ? [] : [manifest.base];
  return formatFiles(base, "b") + formatFiles(manifest.history, "h") +
    formatFiles(manifest.increments, "i");
}

function formatFiles(files: readonly ManifestFile[], type: string): string {
  return files
    .map(({ name, sequence }) => `file ${formatName(name)} seq ${sequence} type ${type}\n`).join(
      "",
    );
}

function formatName(name: string): string {
  // Redis leaves a single quote as it is, and then can't read it.
  if (/^[!#-&(-[\]-~]+$/.test(name)) return name;
  const quoted = new ByteAccumulator();
  appendQuoted(quoted, encoder.encode(name));
  return decoder.decode(quoted.take());
}

/**
 * With a new base, which replaces the old one; its name is that of the new manifest's `base`.
 *
 * @param asSnapshot whether it holds RDB, and no commands
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const manifest = withNewIncrement(withNewBase(EMPTY_MANIFEST, "a", true), "a");
 * assertEquals(formatManifest(manifest), "file a.1.base.rdb seq 1 type b\nfile a.1.incr.aof seq 1 type i\n");
 * ```
 */
export function withNewBase(
  manifest: AofManifest,
  appendFileName: string,
  asSnapshot: boolean,
): AofManifest {
  const sequence = nextSequence(
    manifest,
    manifest.currentBaseSequence,
    (number) => baseName(appendFileName, number, asSnapshot),
  );
  return {
    ...manifest,
    base: { name: baseName(appendFileName, sequence, asSnapshot), sequence },
    history: manifest.base === undefined ? manifest.history : [manifest.base, ...manifest.history],
    currentBaseSequence: sequence,
  };
}

/**
 * The number behind `current`, but none whose name is that of a file of the history: that one is going to be removed. A list tells the
 * numbers of what counts only, so where nothing of a kind does, they begin anew.
 */
function nextSequence(
  { history }: AofManifest,
  current: number,
  nameOf: (sequence: number) => string,
): number {
  let sequence = current + 1;
  while (history.some(({ name }) => name === nameOf(sequence))) sequence++;
  return sequence;
}

/** With a new increment behind all others; its name is that of the last one of `increments`. */
export function withNewIncrement(manifest: AofManifest, appendFileName: string): AofManifest {
  const sequence = nextSequence(
    manifest,
    manifest.currentIncrementSequence,
    (number) => incrementName(appendFileName, number),
  );
  return {
    ...manifest,
    increments: [
      ...manifest.increments,
      { name: incrementName(appendFileName, sequence), sequence },
    ],
    currentIncrementSequence: sequence,
  };
}

/**
 * With all increments but the last `kept` ones moved to the history, since the base has what is in them.
 *
 * @param kept 1 while commands are written to the last one, 0 if they are written nowhere
 */
export function withRewrittenIncrements(manifest: AofManifest, kept: 0 | 1): AofManifest {
  const count = Math.max(0, manifest.increments.length - kept);
  return {
    ...manifest,
    history: [...manifest.increments.slice(0, count), ...manifest.history],
    increments: manifest.increments.slice(count),
  };
}

/** Without the files that count no more. */
export function withoutHistory(manifest: AofManifest): AofManifest {
  return { ...manifest, history: [] };
}

/** For an append-only file of one piece, as versions before 7.0 had it: it becomes the base under its own name. */
export function manifestOfOldFile(appendFileName: string): AofManifest {
  return {
    ...EMPTY_MANIFEST,
    base: { name: appendFileName, sequence: 1 },
    currentBaseSequence: 1,
  };
}
