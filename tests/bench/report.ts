/**
 * Figures as text: numbers, markdown tables, and the generated blocks of the README.
 *
 * @module
 */

import { pairedRatios, summarize, type Summary } from "./statistics.ts";

/** What stands where a figure couldn't be taken. */
export const MISSING = "-";

const MEBIBYTE = 1024 * 1024;

/** A number with about three significant digits and no exponent. */
export function formatNumber(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return MISSING;
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 ? 2 : 3);
}

/** A rate in thousands, `138 k`. */
export function formatThousands(perSecond: number): string {
  return Number.isFinite(perSecond) ? `${formatNumber(perSecond / 1000)} k` : MISSING;
}

/** A size in MiB. */
export function formatMebibytes(sizeBytes: number | null): string {
  return sizeBytes === null ? MISSING : formatNumber(sizeBytes / MEBIBYTE);
}

/** A median with its extremes: `12.1 (11.8..13.0)`. */
export function formatSpread(
  values: readonly (number | null)[],
  format: (value: number) => string = formatNumber,
): string {
  const present = values.filter((value) => value !== null);
  if (present.length === 0) return MISSING;
  const { median, min, max } = summarize(present);
  return present.length === 1
    ? format(median)
    : `${format(median)} (${format(min)}..${format(max)})`;
}

/** A bound that a ratio is asked to keep. */
export type Goal = { readonly atLeast: number } | { readonly atMost: number };

/** A figure beside its goal: `1.63 (>= 1.5)`, and `missed` where it is. */
export function formatWithGoal(value: number | null, goal: Goal | undefined): string {
  const text = formatNumber(value);
  if (goal === undefined || text === MISSING) return text;
  const atLeast = "atLeast" in goal;
  const bound = atLeast ? goal.atLeast : goal.atMost;
  const meets = (figure: number) => atLeast ? figure >= bound : figure <= bound;
  const met = meets(value!);
  // A near miss keeps the digit that shows it.
  const shown = !met && meets(Number(text)) ? value!.toFixed(4) : text;
  return `${shown} (${atLeast ? ">=" : "<="} ${bound}${met ? "" : ", missed"})`;
}

/**
 * The quotient of the two series' medians; null where either side is missing. The spread that
 * belongs to it is {@linkcode ratioSpread}.
 */
export function ratioOfMedians(
  ours: readonly (number | null)[],
  theirs: readonly (number | null)[],
): number | null {
  const numerators = ours.filter((value) => value !== null);
  const denominators = theirs.filter((value) => value !== null);
  if (numerators.length === 0 || denominators.length === 0) return null;
  return summarize(numerators).median / summarize(denominators).median;
}

/** The extremes of the ratios taken round by round: `1.41..1.72`. */
export function ratioSpread(ours: readonly number[], theirs: readonly number[]): string {
  const ratios = pairedRatios(ours, theirs);
  if (ratios.length === 0) return MISSING;
  const { min, max }: Summary = summarize(ratios);
  return `${formatNumber(min)}..${formatNumber(max)}`;
}

/** A ratio with its spread, in two cells; {@linkcode MISSING} where a side has none. */
export function ratioCells(
  ours: readonly (number | null)[],
  theirs: readonly (number | null)[],
  goal?: Goal,
): [ratio: string, spread: string] {
  const isWhole = !ours.includes(null) && !theirs.includes(null);
  return [
    formatWithGoal(ratioOfMedians(ours, theirs), goal),
    isWhole ? ratioSpread(ours as number[], theirs as number[]) : MISSING,
  ];
}

/** A figure of each round: its name, how it is taken, and what is asked of its ratio. */
export type Figure<Round> = readonly [
  name: string,
  take: (round: Round) => number | null,
  goal?: Goal,
];

/** The ratios of the first contender's rounds to the second's: a row a figure. */
export function figureRatios<Round>(
  heading: string,
  figures: readonly Figure<Round>[],
  [ours, theirs = []]: readonly (readonly Round[])[],
): string {
  const rows = figures.map(([name, take, goal]) => [
    name,
    ...ratioCells(ours.map(take), theirs.map(take), goal),
  ]);
  return markdownTable([heading, "of medians", "its rounds"], rows);
}

/**
 * A markdown table padded the way `deno fmt` pads it. The first `textColumns` stand left, the
 * others are figures and stand right.
 */
export function markdownTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  textColumns = 1,
): string {
  const widths = headings.map((heading, column) =>
    Math.max(4, heading.length, ...rows.map((row) => row[column].length))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      cells.map((cell, column) =>
        column < textColumns ? cell.padEnd(widths[column]) : cell.padStart(widths[column])
      ).join(" | ")
    } |`;
  const rule = widths.map((width, column) =>
    column < textColumns ? "-".repeat(width) : `${"-".repeat(width - 1)}:`
  );
  return [line(headings), line(rule), ...rows.map(line)].join("\n");
}

/**
 * `document` with what stands between `<!-- bench:NAME -->` and `<!-- /bench:NAME -->` replaced.
 *
 * @throws {Error} if the document doesn't have the two markers
 */
export function replaceBlock(document: string, name: string, body: string): string {
  const opening = `<!-- bench:${name} -->`;
  const closing = `<!-- /bench:${name} -->`;
  const start = document.indexOf(opening);
  const end = document.indexOf(closing, start);
  if (start < 0 || end < 0) throw new Error(`no block "${name}" to write the figures into`);
  return `${document.slice(0, start)}${opening}\n\n${body.trim()}\n\n${document.slice(end)}`;
}
