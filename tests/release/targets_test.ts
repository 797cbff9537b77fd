import { assertEquals } from "@std/assert";
import { targetOfExecutable, targetOfFile, TARGETS } from "./targets.ts";

/** A header that is empty but for some bytes. */
function header(...places: readonly (readonly [at: number, bytes: readonly number[]])[]) {
  const bytes = new Uint8Array(256);
  for (const [at, values] of places) bytes.set(values, at);
  return bytes;
}

const ELF = [0x7f, 0x45, 0x4c, 0x46];
const MACH = [0xcf, 0xfa, 0xed, 0xfe];

Deno.test("the target shows in the header of an executable", () => {
  const windows = header([0, [0x4d, 0x5a]], [0x3c, [0x80]], [0x80, [0x50, 0x45, 0, 0, 0x64, 0x86]]);
  const found = [
    header([0, ELF], [18, [0x3e]]),
    header([0, ELF], [18, [0xb7]]),
    header([0, MACH], [4, [7, 0, 0, 1]]),
    header([0, MACH], [4, [12, 0, 0, 1]]),
    windows,
  ].map(targetOfExecutable);
  assertEquals(found, TARGETS.map(({ name }) => name));
});

Deno.test("what is no executable, or one for an unknown processor, has no target", () => {
  const headers = [
    new Uint8Array(),
    header(),
    header([0, ELF], [18, [0xf3]]),
    header([0, MACH], [4, [1, 0, 0, 1]]),
    header([0, [0x4d, 0x5a]], [0x3c, [0xff, 0xff]]),
    header([0, [0x4d, 0x5a]], [0x3c, [0x80]]),
    new TextEncoder().encode("#!/bin/sh\n".repeat(20)),
  ];
  for (const bytes of headers) assertEquals(targetOfExecutable(bytes), undefined);
});

Deno.test("the Deno that runs this is for its own target", () => {
  assertEquals(targetOfFile(Deno.execPath()), Deno.build.target);
});
