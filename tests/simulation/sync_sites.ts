/**
 * Which place of the source a sync comes from: the handle by which a single one can be taken out.
 *
 * Many syncs share a path, so the stack of the call is looked at; the line that it names is that of the source, and where an
 * asynchronous function goes on after an `await`, it names that function all the same. A site is a line, and what it syncs: the sync of
 * a snapshot's file and that of a new base are the same line.
 *
 * @module
 */

/** Where the server's code is, and, of the tests, the twin of `systemFiles.replaceText`. */
const FRAME =
  /at (?:async )?([\w.]+) .*\/((?:src\/(?:persistence|server)|tests\/support)\/\w+\.ts):(\d+):/;
/** Sources that call syncs, from the root of the project. */
const FOLDERS = ["src/persistence", "src/server"];
const CALL = /\.(sync|syncNow|syncFolder|syncFolderAside)\(/;
/** Not for the files of a server that is simulated. */
const OTHER_SOURCES = /\/(check_aof|snapshot_request)\.ts$/;
const ROOT = new URL("../../", import.meta.url);

/** What is synced, by its path. */
const SUBJECTS: readonly (readonly [pattern: RegExp, subject: string])[] = [
  [/\.manifest$/, "list"],
  [/\.base\.(rdb|aof)$/, "base"],
  [/\.incr(\.aof)?$/, "increment"],
  [/temp-rewriteaof/, "new base"],
  [/temp-bg-[\d.]+\.rdb$/, "snapshot beside"],
  [/temp-\d+\.rdb$/, "snapshot"],
  [/redis\.conf/, "config file"],
  [/appendonly\.aof$/, "old file"],
  [/appendonlydir$/, "append folder"],
  [/\/data$/, "data folder"],
];

/** A place that syncs something. */
export interface SyncSite {
  /** Its name: the function, and what is synced. */
  readonly name: string;
  /** Where it is, as `file:line`. */
  readonly place: string;
}

/** The site that a sync comes from; to be called by `VirtualDisk.ignoreSyncs`. */
export function siteOfCall(path: string): SyncSite {
  const subject = SUBJECTS.find(([pattern]) => pattern.test(path))?.[1] ?? path;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const { stack = "" } = new Error();
  Error.stackTraceLimit = limit;
  for (const line of stack.split("\n")) {
    const frame = FRAME.exec(line);
    if (frame === null) continue;
    const [, name, file, number] = frame;
    // The disk's own functions are in between.
    if (file.startsWith("tests/") && !name.endsWith(".replaceText")) continue;
    return { name: `${name}: ${subject}`, place: `${file}:${number}` };
  }
  throw new Error(`a sync of ${path} that comes from nowhere:\n${stack}`);
}

/** Sites as they are met, in the order of the source. */
export class SyncSites {
  /** Lines that call a sync, as the sources were when the run began. */
  private readonly lines: readonly string[] = FOLDERS.flatMap((folder) =>
    [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name }) => linesOf(`${folder}/${name}`))
  );
  private readonly byKey = new Map<string, { site: SyncSite; calls: number }>();

  /** Takes down a call; the key of its site. */
  note(path: string): string {
    const site = siteOfCall(path);
    const key = keyOf(site);
    const known = this.byKey.get(key);
    if (known === undefined) this.byKey.set(key, { site, calls: 1 });
    else known.calls++;
    return key;
  }

  /** All sites so far with the number of calls; of several lines with the same name, all but the first one get a number. */
  list(): { readonly key: string; readonly site: SyncSite; readonly calls: number }[] {
    const sorted = [...this.byKey].sort(([, a], [, b]) => compare(a.site.place, b.site.place));
    const names = new Map<string, number>();
    return sorted.map(([key, { site, calls }]) => {
      const count = (names.get(site.name) ?? 0) + 1;
      names.set(site.name, count);
      const name = count === 1 ? site.name : `${site.name} (${count})`;
      return { key, site: { ...site, name }, calls };
    });
  }

  /** Lines of the source that call a sync but that nobody has come by. */
  unmet(): string[] {
    const met = new Set([...this.byKey.values()].map(({ site }) => site.place));
    return this.lines.filter((place) => !met.has(place)).sort(compare);
  }
}

/** What tells a site from all others. */
export function keyOf({ name, place }: SyncSite): string {
  return `${place} ${name}`;
}

function linesOf(file: string): string[] {
  if (!file.endsWith(".ts") || OTHER_SOURCES.test(`/${file}`)) return [];
  return Deno.readTextFileSync(new URL(file, ROOT)).split("\n").flatMap((line, index) =>
    CALL.test(line) && !line.trimStart().startsWith("*") ? [`${file}:${index + 1}`] : []
  );
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, "en", { numeric: true });
}
