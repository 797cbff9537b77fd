import { assert, assertEquals } from "@std/assert";
import { LzfCompressor, lzfDecompress } from "../../src/persistence/lzf.ts";
import { seededRandom } from "../support/random.ts";

/** Bytes with repetitions, more or less of them. */
function someBytes(random: () => number): Uint8Array {
  const bytes = new Uint8Array(4 + Math.floor(random() ** 3 * 20_000));
  const letters = 1 + Math.floor(random() ** 2 * 256);
  const repeats = random();
  for (let at = 0; at < bytes.length; at++) {
    const back = 1 + Math.floor(random() ** 4 * (at - 1));
    bytes[at] = at > 2 && random() < repeats ? bytes[at - back] : random() * letters;
  }
  return bytes;
}

Deno.test("LZF: what is compressed comes back", () => {
  const random = seededRandom(71);
  const compressor = new LzfCompressor();
  let compressed = 0;
  for (let round = 0; round < 500; round++) {
    const input = someBytes(random);
    const output = new Uint8Array(input.length - 1);
    const size = compressor.compress(input, output);
    if (size === 0) continue;
    compressed++;
    const back = new Uint8Array(input.length);
    assert(lzfDecompress(output.subarray(0, size), back), `round ${round}`);
    assertEquals(back, input);
  }
  assert(compressed > 200, `${compressed}`);
});

Deno.test("LZF: the output doesn't depend on what was compressed before", () => {
  const random = seededRandom(72);
  const used = new LzfCompressor();
  for (let round = 0; round < 50; round++) {
    const input = someBytes(random);
    const outputs = [used, new LzfCompressor()].map((compressor) => {
      const output = new Uint8Array(input.length + 100);
      return output.subarray(0, compressor.compress(input, output));
    });
    assertEquals(outputs[0], outputs[1]);
  }
});

Deno.test("LZF: it fits in the room there is, or isn't compressed", () => {
  const random = seededRandom(73);
  const compressor = new LzfCompressor();
  for (let round = 0; round < 200; round++) {
    const input = someBytes(random).subarray(0, 300);
    const full = new Uint8Array(400);
    const needed = compressor.compress(input, full);
    for (let room = 1; room < needed + 8; room += 3) {
      const output = new Uint8Array(room + 1).fill(0x77);
      const size = compressor.compress(input, output.subarray(0, room));
      assert(size <= room);
      assertEquals(output[room], 0x77);
      if (size > 0) assertEquals(output.subarray(0, size), full.subarray(0, needed));
    }
  }
});

Deno.test("LZF: broken input is told from whole, and nothing is written outside", () => {
  const random = seededRandom(74);
  const compressor = new LzfCompressor();
  for (let round = 0; round < 3000; round++) {
    const input = someBytes(random).subarray(0, 200);
    const room = new Uint8Array(400);
    const compressed = room.subarray(0, compressor.compress(input, room));
    const broken = compressed.slice();
    broken[Math.floor(random() * broken.length)] = random() * 256;
    const output = new Uint8Array(input.length + 2);
    lzfDecompress(broken, output.subarray(1, input.length + 1));
    assertEquals([output[0], output.at(-1)], [0, 0]);
    assertEquals(lzfDecompress(compressed, new Uint8Array(input.length + 1)), false);
    assertEquals(lzfDecompress(compressed, new Uint8Array(input.length - 1)), false);
  }
});
