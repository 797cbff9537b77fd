/**
 * Where downloads are compiled: copies of the sources, and the packages that they are made with, all with the same time.
 *
 * `deno compile` writes into an executable when each file was changed, which differs from clone to clone; so the same sources
 * would never make the same bytes.
 *
 * @module
 */
import { ROOT } from "./compilation.ts";

/** What the executable is compiled from. */
const SOURCES = ["deno.json", "main.ts", "src"];

/** Where the compiler keeps what it has downloaded, for the next time; `make clean` removes it. */
const CACHE = new URL(".deno/dist/", ROOT);

/** A folder to compile in; disposing of it removes it. */
export class Workshop implements Disposable {
  /** The folder with the sources, a path. */
  readonly sources: string;
  /** The folder that Deno is to keep its downloads in, a path. */
  readonly cache: string;
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
    this.sources = `${folder}/sources`;
    this.cache = pathOf(CACHE);
  }

  /**
   * Copies the sources and fetches the packages.
   *
   * @param time The time that all files get, in unix seconds.
   * @param fetch Fetches the packages of the sources in the folder into the cache.
   * @throws whatever `fetch` throws.
   */
  static async open(
    time: number,
    fetch: (sources: string, cache: string) => Promise<void>,
  ): Promise<Workshop> {
    const workshop = new Workshop(Deno.makeTempDirSync({ prefix: "miniredis-dist-" }));
    try {
      Deno.mkdirSync(workshop.sources);
      for (const name of SOURCES) {
        copyAll(pathOf(new URL(name, ROOT)), `${workshop.sources}/${name}`);
      }
      Deno.mkdirSync(workshop.cache, { recursive: true });
      await fetch(workshop.sources, workshop.cache);
      setTimes(workshop.sources, time);
      setTimes(`${workshop.cache}/npm`, time);
    } catch (error) {
      workshop[Symbol.dispose]();
      throw error;
    }
    return workshop;
  }

  /** A path for something that is made here. */
  pathFor(name: string): string {
    return `${this.#folder}/${name}`;
  }

  [Symbol.dispose](): void {
    Deno.removeSync(this.#folder, { recursive: true });
  }
}

/** The path of a URL, on Windows too, where the letter of the drive stands behind a slash. */
function pathOf(url: URL): string {
  return decodeURIComponent(url.pathname).replace(/^\/(?=[A-Za-z]:)/, "").replace(/\/$/, "");
}

function copyAll(from: string, to: string): void {
  if (!Deno.statSync(from).isDirectory) return Deno.copyFileSync(from, to);
  Deno.mkdirSync(to);
  for (const { name } of Deno.readDirSync(from)) copyAll(`${from}/${name}`, `${to}/${name}`);
}

function setTimes(path: string, time: number): void {
  if (Deno.statSync(path).isDirectory) {
    for (const { name } of Deno.readDirSync(path)) setTimes(`${path}/${name}`, time);
  }
  Deno.utimeSync(path, time, time);
}
