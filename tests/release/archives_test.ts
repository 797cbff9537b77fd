import { assertEquals, assertRejects } from "@std/assert";
import { type ArchiveEntry, packTarGz, packZip } from "./archives.ts";

const TIME = Date.UTC(2024, 1, 29, 12, 34, 56) / 1000;

const ENTRIES: readonly ArchiveEntry[] = [
  { name: "miniredis/LICENSE", bytes: bytesOf("Do as you like.\n"), isExecutable: false },
  { name: "miniredis/empty", bytes: bytesOf(""), isExecutable: false },
  { name: "miniredis/miniredis", bytes: bytesOf("#!".repeat(5000)), isExecutable: true },
];

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new TextEncoder().encode(text));
}

/** Unpacks an archive with a program of the system, or says why that can't be tried. */
async function unpacked(
  archive: Uint8Array<ArrayBuffer>,
  [program, ...args]: readonly string[],
): Promise<Map<string, string> | undefined> {
  const folder = Deno.makeTempDirSync();
  try {
    Deno.writeFileSync(`${folder}/archive`, archive);
    const command = new Deno.Command(program, { args: [...args, "archive"], cwd: folder });
    let output: Deno.CommandOutput;
    try {
      output = await command.output();
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      console.log(`not unpacked: there is no ${program} here`);
      return undefined;
    }
    assertEquals(new TextDecoder().decode(output.stderr), "");
    assertEquals(output.code, 0);
    return new Map(ENTRIES.map(({ name }) => [name, factsOf(`${folder}/${name}`)]));
  } finally {
    Deno.removeSync(folder, { recursive: true });
  }
}

/** What is in a file, and whether it can be run, where files have such a mark. */
function factsOf(path: string): string {
  const { mode } = Deno.statSync(path);
  const isExecutable = mode !== null && Deno.build.os !== "windows" && (mode & 0o111) !== 0;
  return `${isExecutable} ${Deno.readTextFileSync(path)}`;
}

const EXPECTED = new Map(
  ENTRIES.map(({ name, bytes, isExecutable }) => [
    name,
    `${isExecutable && Deno.build.os !== "windows"} ${new TextDecoder().decode(bytes)}`,
  ]),
);

Deno.test("tar unpacks a .tar.gz", async () => {
  const found = await unpacked(await packTarGz(ENTRIES, TIME), ["tar", "-xzf"]);
  if (found !== undefined) assertEquals(found, EXPECTED);
});

Deno.test("unzip unpacks a .zip", async () => {
  const found = await unpacked(await packZip(ENTRIES, TIME), ["unzip", "-q"]);
  if (found !== undefined) assertEquals(found, EXPECTED);
});

Deno.test("a .zip says what stands in it, in front of each file and at its end", async () => {
  const archive = await packZip(ENTRIES, TIME);
  const view = new DataView(archive.buffer);
  const end = archive.length - 22;
  assertEquals(view.getUint32(end, true), 0x0605_4b50);
  assertEquals(view.getUint16(end + 10, true), ENTRIES.length);
  let at = view.getUint32(end + 16, true);
  for (const { name, bytes, isExecutable } of ENTRIES) {
    assertEquals(view.getUint32(at, true), 0x0201_4b50);
    // 2024-02-29 and 12:34:56 as MS-DOS wrote them.
    assertEquals(view.getUint16(at + 12, true), 12 << 11 | 34 << 5 | 28);
    assertEquals(view.getUint16(at + 14, true), 44 << 9 | 2 << 5 | 29);
    assertEquals(view.getUint32(at + 24, true), bytes.length);
    assertEquals(view.getUint32(at + 38, true) >>> 16, isExecutable ? 0o100755 : 0o100644);
    const start = view.getUint32(at + 42, true);
    const packed = archive.slice(
      start + 30 + name.length,
      start + 30 + name.length +
        view.getUint32(at + 20, true),
    );
    const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
    assertEquals(new Uint8Array(await new Response(stream).arrayBuffer()), bytes);
    at += 46 + name.length;
  }
  assertEquals(at, end);
});

Deno.test("the same entries make the same bytes", async () => {
  for (const pack of [packTarGz, packZip]) {
    assertEquals(await pack(ENTRIES, TIME), await pack(ENTRIES, TIME));
  }
});

Deno.test("what a format can't say is refused", async () => {
  const entry = { ...ENTRIES[0], name: "x".repeat(101) };
  await assertRejects(() => packTarGz([entry], TIME), RangeError, "too long");
  await assertRejects(() => packZip(ENTRIES, 0), RangeError, "1980");
});
