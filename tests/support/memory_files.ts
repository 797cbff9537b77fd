/**
 * Files in memory: names and texts, and what was asked of them.
 *
 * @module
 */
import type { Files } from "../../src/runtime/files.ts";

/** Files that are texts in a map. */
export class MemoryFiles implements Files {
  /** The texts by path. */
  readonly texts: Map<string, string>;

  /** Starts with some files. */
  constructor(texts: Readonly<Record<string, string>> = {}) {
    this.texts = new Map(Object.entries(texts));
  }

  readText(path: string): string {
    const text = this.texts.get(path);
    if (text === undefined) {
      throw new Deno.errors.NotFound("No such file or directory (os error 2): open");
    }
    return text;
  }

  replaceText(path: string, text: string): void {
    this.texts.set(path, text);
  }

  appendText(path: string, text: string): void {
    this.texts.set(path, (this.texts.get(path) ?? "") + text);
  }

  remove(path: string): void {
    this.readText(path);
    this.texts.delete(path);
  }

  setPermissions(): void {}

  folder(path: string): string {
    if (path === ".") return "/data";
    if (path.startsWith("/missing")) {
      throw new Deno.errors.NotFound("No such file or directory (os error 2): realpath");
    }
    return path;
  }

  list(path: string): string[] {
    return [...this.texts.keys()].filter((name) => name.startsWith(path))
      .map((name) => name.slice(path.length)).filter((name) => !name.includes("/")).sort();
  }
}
