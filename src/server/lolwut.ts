/**
 * LOLWUT: Redis draws something different in each of its versions. These are our own drawings, by the same
 * arguments: version 5 drops stones into water, in Braille dots; version 6 is a hilly night, in shades of grey.
 *
 * @module
 */
import { type Context, NOT_AN_INTEGER } from "../commands/context.ts";
import { REDIS_VERSION } from "../runtime/version.ts";

const LARGEST_CANVAS = 1000;
const MOST_STONES = 200;
/** Dots of a Braille character are two wide and four high; the bits of each. */
const BRAILLE = 0x2800;
const DOT_BITS = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]] as const;
const DOTS_WIDE = 2;
const DOTS_HIGH = 4;
/** Distance in dots from one ring to the next. */
const RING_DOTS = 5;
/** Rings fade this far from their stone. */
const REACH_DOTS = 22;

/** Runs LOLWUT. */
export function lolwut(context: Context): void {
  let version = 0;
  const numbers: number[] = [];
  if (context.argc >= 3 && context.isWord(1, "VERSION")) {
    if (!context.integer(2, NOT_AN_INTEGER)) return;
    version = context.value;
    for (let index = 3; index < Math.min(6, context.argc); index++) {
      if (version !== 5 && version !== 6) break;
      if (!context.integer(index, NOT_AN_INTEGER)) return;
      numbers.push(context.value);
    }
  }
  const drawing = version === 5
    ? stones(context.random, numbers)
    : version === 6
    ? hills(context.random, numbers)
    : "";
  context.reply.verbatim("txt", `${drawing}Redis ver. ${REDIS_VERSION}\n`);
}

/** `columns` characters wide, with a number of stones across and down. */
function stones(random: () => number, [columns = 66, across = 8, down = 12]: number[]): string {
  const wide = limited(columns, LARGEST_CANVAS) * DOTS_WIDE;
  const stonesAcross = limited(across, MOST_STONES);
  const stonesDown = limited(down, MOST_STONES);
  const cell = wide / stonesAcross;
  const high = Math.max(DOTS_HIGH, Math.ceil(cell * stonesDown / DOTS_HIGH) * DOTS_HIGH);
  const dots = new Uint8Array(wide * high);
  for (let stone = 0; stone < stonesAcross * stonesDown; stone++) {
    const x = (stone % stonesAcross + random()) * cell;
    const y = (Math.floor(stone / stonesAcross) + random()) * cell;
    const reach = Math.min(REACH_DOTS, cell * 1.5) * random();
    for (let radius = RING_DOTS; radius <= reach; radius += RING_DOTS) {
      ring(dots, wide, high, x, y, radius);
    }
  }
  return `${brailleText(dots, wide, high)}\nStones dropped into water. `;
}

function ring(
  dots: Uint8Array,
  wide: number,
  high: number,
  x: number,
  y: number,
  radius: number,
): void {
  const steps = Math.ceil(radius * 7);
  for (let step = 0; step < steps; step++) {
    const angle = step / steps * 2 * Math.PI;
    const column = Math.round(x + radius * Math.cos(angle));
    const row = Math.round(y + radius * Math.sin(angle));
    if (column >= 0 && column < wide && row >= 0 && row < high) dots[row * wide + column] = 1;
  }
}

function brailleText(dots: Uint8Array, wide: number, high: number): string {
  const lines: string[] = [];
  for (let top = 0; top < high; top += DOTS_HIGH) {
    let line = "";
    for (let left = 0; left < wide; left += DOTS_WIDE) {
      let bits = 0;
      for (let row = 0; row < DOTS_HIGH; row++) {
        for (let column = 0; column < DOTS_WIDE; column++) {
          if (dots[(top + row) * wide + left + column] === 1) bits |= DOT_BITS[row][column];
        }
      }
      line += String.fromCharCode(BRAILLE + bits);
    }
    lines.push(`${line}\n`);
  }
  return lines.join("");
}

/** Background colours from the sky down to the nearest hill. */
const SHADES = ["0;97;107", "0;37;47", "0;90;100", "0;30;40"];

/** `columns` by `rows` characters. */
function hills(random: () => number, [columns = 80, rows = 20]: number[]): string {
  const wide = limited(columns, LARGEST_CANVAS);
  const high = limited(rows, LARGEST_CANVAS);
  const ranges = SHADES.slice(1).map((_, index) => {
    const base = high * (0.35 + 0.2 * index);
    const height = high * 0.15;
    const phases = [random(), random()].map((phase) => phase * 2 * Math.PI);
    return (column: number) =>
      base + height * (Math.sin(column / 9 + phases[0]) + 0.5 * Math.sin(column / 4 + phases[1]));
  });
  const lines: string[] = [];
  for (let row = 0; row < high; row++) {
    let line = "";
    for (let column = 0; column < wide; column++) {
      const shade = ranges.reduce((found, top, index) => row >= top(column) ? index + 1 : found, 0);
      line += `\x1b[${SHADES[shade]}m \x1b[0m`;
    }
    lines.push(`${line}\n`);
  }
  return `${lines.join("")}Hills at night. `;
}

function limited(value: number, most: number): number {
  return Math.max(1, Math.min(most, value));
}
