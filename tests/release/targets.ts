/**
 * The systems that there are downloads for, and how an executable shows which of them it is for.
 *
 * @module
 */

/** A system and a processor that there is a download for. */
export interface Target {
  /** What Deno calls it: `x86_64-unknown-linux-gnu`. */
  readonly name: string;
  /** What the executable is called there. */
  readonly executable: string;
  /** The end of the archive's name. */
  readonly archive: ".tar.gz" | ".zip";
}

/** All that there are downloads for. */
export const TARGETS: readonly Target[] = [
  unixTarget("x86_64-unknown-linux-gnu"),
  unixTarget("aarch64-unknown-linux-gnu"),
  unixTarget("x86_64-apple-darwin"),
  unixTarget("aarch64-apple-darwin"),
  { name: "x86_64-pc-windows-msvc", executable: "miniredis.exe", archive: ".zip" },
];

/** So many bytes at the beginning of an executable say what it is for. */
export const HEADER_BYTES = 4096;

/** Where each format says which processor it is for, and by which numbers. */
const ELF_MACHINES = new Map([[0x3e, "x86_64"], [0xb7, "aarch64"]]);
const MACH_PROCESSORS = new Map([[0x0100_0007, "x86_64"], [0x0100_000c, "aarch64"]]);
const PE_MACHINES = new Map([[0x8664, "x86_64"], [0xaa64, "aarch64"]]);

const ELF_MAGIC = 0x464c_457f; // 0x7f "ELF", read from its little end
const MACH_MAGIC = 0xfeed_facf; // 64 bits
const DOS_MAGIC = 0x5a4d; // "MZ"
const PE_MAGIC = 0x0000_4550; // "PE" 0 0

/** The place in a program for Windows that says where its real header begins. */
const PE_POINTER = 0x3c;

function unixTarget(name: string): Target {
  return { name, executable: "miniredis", archive: ".tar.gz" };
}

/**
 * Finds the target that an executable is for, whatever its name says: where a part of the compiler
 * was put in place by hand, it may be another system's.
 *
 * @param header The beginning of the executable, `HEADER_BYTES` or all that there is.
 * @returns the name of the target, or nothing if it is no executable of a kind that is known.
 */
export function targetOfExecutable(header: Uint8Array): string | undefined {
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength);
  if (view.byteLength < 64) return undefined;
  const magic = view.getUint32(0, true);
  if (magic === ELF_MAGIC) {
    return named(ELF_MACHINES.get(view.getUint16(18, true)), "unknown-linux-gnu");
  }
  if (magic === MACH_MAGIC) {
    return named(MACH_PROCESSORS.get(view.getUint32(4, true)), "apple-darwin");
  }
  if (view.getUint16(0, true) !== DOS_MAGIC) return undefined;
  const start = view.getUint32(PE_POINTER, true);
  if (start + 6 > view.byteLength || view.getUint32(start, true) !== PE_MAGIC) return undefined;
  return named(PE_MACHINES.get(view.getUint16(start + 4, true)), "pc-windows-msvc");
}

function named(processor: string | undefined, system: string): string | undefined {
  return processor === undefined ? undefined : `${processor}-${system}`;
}

/**
 * Finds the target that a file is for.
 *
 * @param path The file.
 * @returns the name of the target, or nothing if the file is no executable of a kind that is known.
 * @throws {Deno.errors.NotFound} and other errors of the system.
 */
export function targetOfFile(path: string): string | undefined {
  using file = Deno.openSync(path, { read: true });
  const header = new Uint8Array(HEADER_BYTES);
  let length = 0;
  while (length < header.length) {
    const count = file.readSync(header.subarray(length));
    if (count === null) break;
    length += count;
  }
  return targetOfExecutable(header.subarray(0, length));
}
