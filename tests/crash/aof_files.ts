/**
 * The append-only files as they lie in the folder: which there are, and the commands in them.
 *
 * @module
 */

/** Where an append-only log ends: its last increment. */
export interface Increment {
  /** The file's path. */
  readonly path: string;
  /** Its length. */
  readonly sizeBytes: number;
}

/** A command in an increment. */
export interface LoggedCommand {
  /** Where it starts in the file. */
  readonly start: number;
  /** Where it ends. */
  readonly end: number;
  /** Its words. */
  readonly words: readonly string[];
}

const LINE_FEED = 10;
const NUMBER_SIGN = 35;
const decoder = new TextDecoder();

/** The last increment that the manifest in `folder` names, or undefined if there is none. */
export async function lastIncrement(folder: string): Promise<Increment | undefined> {
  const directory = `${folder}/appendonlydir`;
  try {
    const manifest = await Deno.readTextFile(`${directory}/appendonly.aof.manifest`);
    const names = [...manifest.matchAll(/^file (\S+) seq \d+ type i$/gm)].map(([, name]) => name);
    if (names.length === 0) return undefined;
    const path = `${directory}/${names[names.length - 1]}`;
    return { path, sizeBytes: (await Deno.stat(path)).size };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The whole commands in an increment; what is torn at its end is left out, as are annotations. */
export function loggedCommands(bytes: Uint8Array): LoggedCommand[] {
  const commands: LoggedCommand[] = [];
  let at = 0;
  const line = (): string | undefined => {
    const end = bytes.indexOf(LINE_FEED, at);
    if (end < 0) return undefined;
    const text = decoder.decode(bytes.subarray(at, end - 1));
    at = end + 1;
    return text;
  };
  while (at < bytes.length) {
    const start = at;
    const isAnnotation = bytes[at] === NUMBER_SIGN;
    const head = line();
    if (head === undefined) break;
    if (isAnnotation) continue;
    const words: string[] = [];
    for (let left = Number(head.slice(1)); left > 0; left--) {
      const length = Number(line()?.slice(1));
      if (!(at + length + 2 <= bytes.length)) return commands;
      words.push(decoder.decode(bytes.subarray(at, at + length)));
      at += length + 2;
    }
    commands.push({ start, end: at, words });
  }
  return commands;
}
