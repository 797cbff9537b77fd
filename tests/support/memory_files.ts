/**
 * Files in memory, where any folder is there that somebody asks for.
 *
 * @module
 */
import { folderOf } from "../../src/runtime/files.ts";
import { VirtualDisk } from "./virtual_disk.ts";

/** A disk that starts with some texts. */
export class MemoryFiles extends VirtualDisk {
  /** Starts with some files. */
  constructor(texts: Readonly<Record<string, string>> = {}) {
    super(1);
    for (const [path, text] of Object.entries(texts)) {
      this.write(path, new TextEncoder().encode(text));
    }
  }

  /** The whole path of a folder, which is made if it isn't there, but for those below `/missing`. */
  override folder(path: string): string {
    if (!path.startsWith("/missing")) this.makeFolder(path);
    return super.folder(path);
  }

  override appendText(path: string, text: string): void {
    this.folder(folderOf(path));
    super.appendText(path, text);
  }
}
