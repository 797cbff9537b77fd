/**
 * `miniredis server --check-aof` and `--check-rdb`, from the command line.
 */

import { assertEquals, assertStringIncludes } from "@std/assert";
import { latin1Bytes } from "../support/rdb_bodies.ts";
import { runProgram } from "../support/program.ts";
import { snapshotOf } from "../support/snapshot_bytes.ts";

const SET = "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n";

Deno.test("an append-only file is checked, and cut when the user says so", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const manifest = `${folder}/a.manifest`;
    const increment = `${folder}/a.1.incr.aof`;
    await Deno.writeTextFile(manifest, "file a.1.incr.aof seq 1 type i\n");
    await Deno.writeTextFile(increment, `${SET}*`);

    const broken = await runProgram(["server", "--check-aof", manifest]);
    assertEquals([broken.code, broken.stderr], [1, ""]);
    assertStringIncludes(broken.stdout, "ok_up_to=27, ok_up_to_line=8, diff=1\n");
    assertStringIncludes(broken.stdout, "is not valid. Use the --fix option to try fixing it.\n");

    const kept = await runProgram(["server", "--check-aof", manifest, "--fix"], "n\n");
    assertEquals(kept.code, 1);
    assertStringIncludes(kept.stdout, "Continue? [y/N]: Aborting...\n");

    const fixed = await runProgram(["server", "--fix", `--check-aof=${manifest}`], "y\n");
    assertEquals([fixed.code, fixed.stderr], [0, ""]);
    assertStringIncludes(fixed.stdout, "Successfully truncated AOF a.1.incr.aof\n");
    assertEquals(await Deno.readTextFile(increment), SET);

    await Deno.writeTextFile(increment, `#TS:10\r\n${SET}#TS:20\r\n${SET}`);
    const cut = await runProgram(
      ["server", "-check-aof", manifest, "-truncate-to-timestamp", "15"],
    );
    assertEquals(cut.code, 0);
    assertStringIncludes(cut.stdout, "to timestamp 15\nAll AOF files and manifest are valid\n");
    assertEquals(await Deno.readTextFile(increment), `#TS:10\r\n${SET}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("a snapshot is checked", async () => {
  const file = await Deno.makeTempFile();
  try {
    const snapshot = latin1Bytes(snapshotOf([["\x00", "a", "\x01b"]]));
    await Deno.writeFile(file, snapshot);
    const whole = await runProgram(["server", "--check-rdb", file]);
    assertEquals([whole.code, whole.stderr], [0, ""]);
    assertStringIncludes(whole.stdout, "\\o/ RDB looks OK! \\o/\n[info] 1 keys read\n");

    await Deno.writeFile(file, snapshot.subarray(0, -10));
    const broken = await runProgram(["server", "--check-rdb", file]);
    assertEquals(broken.code, 1);
    assertStringIncludes(broken.stdout, "--- RDB ERROR DETECTED ---\n");
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a check that makes no sense ends with 2, and the help tells of them", async () => {
  for (
    const [args, message] of [
      [["--check-aof"], "option '--check-aof' needs a value"],
      [["--fix"], "need '--check-aof'"],
      [["--check-rdb", "x", "--fix"], "need '--check-aof'"],
      [["--check-aof", "x", "--check-rdb", "y"], "one file each"],
      [["--check-aof", "x", "y"], "unexpected argument 'y'"],
      [["--check-aof", "x", "--truncate-to-timestamp", "soon"], "'soon' is no unix time"],
      [["--check-aof", "x", "--port", "1"], "unknown option '--port'"],
    ] as const
  ) {
    const { code, stdout, stderr } = await runProgram(["server", ...args]);
    assertEquals([code, stdout], [2, ""]);
    assertStringIncludes(stderr, message);
  }
  const { stdout } = await runProgram(["server", "--help"]);
  assertStringIncludes(stdout, "  --check-aof <file>");
  assertStringIncludes(stdout, "  --check-rdb <file>");
});
