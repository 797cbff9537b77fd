import { assertEquals, assertThrows } from "@std/assert";
import { FileReadError, FileWindow } from "../../src/persistence/file_window.ts";
import type { InputFile } from "../../src/runtime/files.ts";

/** A file of the bytes 0, 1, 2, ... that gives at most `most` of them at once. */
class CountingFile implements InputFile {
  /** How many bytes were read. */
  readBytes = 0;
  private position = 0;

  constructor(
    readonly size: number,
    private readonly most: number,
    private readonly end = size,
  ) {}

  read(room: Uint8Array): number {
    const count = Math.min(room.length, this.most, this.end - this.position);
    for (let index = 0; index < count; index++) room[index] = this.position++;
    this.readBytes += count;
    return count;
  }

  seek(position: number): void {
    this.position = position;
  }

  close(): void {}
}

Deno.test("a window has the bytes that are asked for, wherever it is", () => {
  for (const most of [1, 3, 100]) {
    const moves: number[] = [];
    const window = new FileWindow(new CountingFile(40, most), 2, (at) => moves.push(at), 4);
    assertEquals([window.position, window.left], [2, 38]);
    assertEquals(window.ensure(3), true);
    assertEquals(window.bytes[window.start], 2);
    window.start += 2;
    assertEquals(window.ensure(4), true);
    assertEquals([...window.bytes.subarray(window.start, window.start + 4)], [4, 5, 6, 7]);
    // More than a window's worth.
    assertEquals(window.ensure(30), true);
    assertEquals([window.bytes[window.start + 29], window.position], [33, 4]);
    assertEquals([window.ensure(37), window.end - window.start], [false, 36]);
    assertEquals([window.skip(35), window.ensure(1), window.skip(1)], [true, true, true]);
    assertEquals([window.ensure(1), window.skip(1), window.position], [false, false, 40]);
    assertEquals(moves[0], 2);
  }
});

Deno.test("what is passed over isn't read", () => {
  const file = new CountingFile(200, 100);
  const window = new FileWindow(file, 0, undefined, 10);
  assertEquals(window.ensure(1), true);
  assertEquals([window.skip(150), window.position, window.ensure(1)], [true, 150, true]);
  assertEquals([window.bytes[window.start], file.readBytes], [150, 20]);
  assertEquals([window.skip(100), window.position, window.left], [false, 200, 0]);
});

Deno.test("a file that shrinks ends, and one that can't be read says why", () => {
  const window = new FileWindow(new CountingFile(20, 100, 10));
  assertEquals([window.ensure(20), window.end], [false, 10]);
  const broken = Object.assign(new CountingFile(20, 100), {
    read: () => {
      throw new Error("Is a directory (os error 21)");
    },
  });
  assertThrows(() => new FileWindow(broken).ensure(1), FileReadError, "Is a directory");
});
