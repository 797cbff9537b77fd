/**
 * Archives as downloads are packed in: `.tar.gz`, and `.zip` for Windows.
 *
 * Both are the same bytes whenever they are made from the same entries: the entries stay in the
 * order in which they are given, belong to nobody, and all have the one time that is given.
 *
 * @module
 */

import { crc32 } from "node:zlib";
import { joinBytes } from "../../src/protocol/joined_bytes.ts";

/** A file in an archive. */
export interface ArchiveEntry {
  /** Its path in the archive, with slashes; in ASCII, of at most 100 characters. */
  readonly name: string;
  /** What is in it. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Whether it can be run. */
  readonly isExecutable: boolean;
}

/** The size of everything in a tar file is a multiple of so many bytes. */
const TAR_BLOCK = 512;
const TAR_NAME_BYTES = 100;
/** Twenty of Zip's fields are counted from here. */
const ZIP_FIRST_YEAR = 1980;
const ZIP_VERSION = 20; // 2.0: compressed files
const ZIP_MADE_ON_UNIX = (3 << 8) | ZIP_VERSION;
const ZIP_DEFLATED = 8;

/**
 * Packs a `.tar.gz`, in the format that POSIX calls ustar.
 *
 * @param entries The files, in their order.
 * @param seconds The unix time that each file gets.
 */
export async function packTarGz(
  entries: readonly ArchiveEntry[],
  seconds: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const entry of entries) {
    parts.push(tarHeader(entry, seconds), entry.bytes, zeros(-entry.bytes.length & TAR_BLOCK - 1));
  }
  parts.push(zeros(2 * TAR_BLOCK));
  return await compressed(parts, "gzip");
}

/**
 * Packs a `.zip`.
 *
 * @param entries The files, in their order.
 * @param seconds The unix time that each file gets; Zip knows none before 1980, and even seconds only.
 */
export async function packZip(
  entries: readonly ArchiveEntry[],
  seconds: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  let offset = 0;
  for (const entry of entries) {
    const name = Uint8Array.from(new TextEncoder().encode(entry.name));
    const packed = await compressed([entry.bytes], "deflate-raw");
    const common = zipFields(entry, packed.length, name.length, seconds);
    const header = joinBytes([numbers([0x0403_4b50, 4]), common, name]);
    directory.push(
      numbers([0x0201_4b50, 4], [ZIP_MADE_ON_UNIX, 2]),
      common,
      // No comment, the first disk, no text, the permissions in the upper half, and the place.
      numbers([0, 2], [0, 2], [0, 2], [permissions(entry) * 0x1_0000, 4], [offset, 4]),
      name,
    );
    parts.push(header, packed);
    offset += header.length + packed.length;
  }
  const index = joinBytes(directory);
  const count = entries.length;
  const end = numbers(
    [0x0605_4b50, 4],
    [0, 4], // the first disk
    [count, 2],
    [count, 2],
    [index.length, 4],
    [offset, 4],
    [0, 2], // no comment
  );
  return joinBytes([...parts, index, end]);
}

function permissions(entry: ArchiveEntry): number {
  return 0o100_000 | (entry.isExecutable ? 0o755 : 0o644);
}

function tarHeader(entry: ArchiveEntry, seconds: number): Uint8Array<ArrayBuffer> {
  if (entry.name.length > TAR_NAME_BYTES) {
    throw new RangeError(`The name ${entry.name} is too long`);
  }
  const header = zeros(TAR_BLOCK);
  const put = (text: string, at: number): void => {
    header.set(new TextEncoder().encode(text), at);
  };
  const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, "0");
  put(entry.name, 0);
  put(octal(permissions(entry) & 0o777, 7), 100);
  put(octal(0, 7), 108); // the owner
  put(octal(0, 7), 116); // the group
  put(octal(entry.bytes.length, 11), 124);
  put(octal(seconds, 11), 136);
  put(" ".repeat(8), 148); // where the sum will be, which is made as if blanks stood here
  put("0", 156); // a file
  put("ustar\0" + "00", 257);
  put(octal(header.reduce((sum, byte) => sum + byte, 0), 6) + "\0 ", 148);
  return header;
}

/** What stands in front of a file and in the directory alike. */
function zipFields(
  entry: ArchiveEntry,
  packedSize: number,
  nameSize: number,
  seconds: number,
): Uint8Array<ArrayBuffer> {
  const time = new Date(seconds * 1000);
  const year = time.getUTCFullYear() - ZIP_FIRST_YEAR;
  if (year < 0) throw new RangeError(`Zip knows no time before ${ZIP_FIRST_YEAR}`);
  return numbers(
    [ZIP_VERSION, 2],
    [0, 2], // nothing special
    [ZIP_DEFLATED, 2],
    [time.getUTCHours() << 11 | time.getUTCMinutes() << 5 | time.getUTCSeconds() >> 1, 2],
    [year << 9 | time.getUTCMonth() + 1 << 5 | time.getUTCDate(), 2],
    [crc32(entry.bytes), 4],
    [packedSize, 4],
    [entry.bytes.length, 4],
    [nameSize, 2],
    [0, 2], // no further fields
  );
}

/** Numbers of two or four bytes, beginning with the little end. */
function numbers(...fields: readonly (readonly [value: number, size: 2 | 4])[]) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [, size]) => sum + size, 0)));
  let at = 0;
  for (const [value, size] of fields) {
    if (size === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += size;
  }
  return new Uint8Array(view.buffer);
}

async function compressed(
  parts: readonly Uint8Array<ArrayBuffer>[],
  format: CompressionFormat,
): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([...parts]).stream().pipeThrough(new CompressionStream(format));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function zeros(length: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(length);
}
