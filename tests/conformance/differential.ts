/**
 * Sends the same random commands to redis-server and to miniredis, and compares what comes back.
 *
 * See README.md in this folder.
 *
 * @module
 */

import { parseArgs } from "@std/cli";
import { seededRandom } from "../support/random.ts";
import { type Peers, startPeers, whyNoReference } from "./peers.ts";
import { StepSource } from "./recipes/mod.ts";
import { shrinkSteps } from "./shrink.ts";
import { formatStep, nameOf, type Step } from "./step.ts";
import { compareContents, type Disagreement, runSteps, startAfresh } from "./stream.ts";

const USAGE = `usage: differential.ts [options]

  --commands N   how many commands to compare (200000)
  --seed N       the stream to send (a new one each time)
  --redis FILE   the redis-server to compare with (redis-server)
  --favour REGEX draw commands whose names match ten times as often
  --failures N   how many disagreements to look for (1)
  --out FILE     write the shortest stream of the first one there, for redis-cli
`;

/** After so many steps contents are compared as a whole, and both servers start afresh. */
const EPISODE_STEPS = 10_000;
const SHRINK_MS = 20_000;
const SHOWN_REPLY = 300;

/** What a run is to do. */
export interface DifferentialOptions {
  /** How many commands to compare. */
  readonly commands: number;
  /** Which stream. */
  readonly seed: number;
  /** The program to compare with. */
  readonly redis: string;
  /** After how many disagreements it ends. */
  readonly failures: number;
  /** Commands that are drawn more often. */
  readonly favoured?: RegExp;
}

/** A disagreement and the shortest stream found that shows it. */
export interface Finding extends Disagreement {
  /** That stream. */
  readonly steps: readonly Step[];
}

/** Compares a random stream; what the servers disagree in. */
export async function compareServers(options: DifferentialOptions): Promise<Finding[]> {
  await using peers = await startPeers(options.redis);
  const source = new StepSource(seededRandom(options.seed), options.favoured);
  const findings: Finding[] = [];
  const seen = new Set<string>();
  for (let left = options.commands; left > 0; left -= EPISODE_STEPS) {
    let steps = Array.from({ length: Math.min(left, EPISODE_STEPS) }, () => source.next());
    while (steps.length > 0) {
      const found = await runEpisode(peers, steps);
      if (found === undefined) break;
      if (!seen.has(signature(found))) {
        seen.add(signature(found));
        findings.push(await shorten(peers, steps.slice(0, found.index + 1), found));
        if (findings.length >= options.failures) return findings;
      }
      steps = steps.slice(found.index + 1);
    }
  }
  return findings;
}

/** The same for disagreements that most likely have the same cause. */
function signature(found: Disagreement): string {
  const replies = [found.expected, found.actual].map((reply) => reply.slice(0, 12));
  return [nameOf(found.step), ...replies].join(" ");
}

/** What was found, for people. */
export function describeFinding(finding: Finding, whole = false): string {
  const lines = finding.steps.map((step) => formatStep(step, whole));
  if (whole) return lines.join("\n");
  return [
    `after these ${lines.length} commands:`,
    ...lines.map((line) => `  ${line}`),
    `on: ${formatStep(finding.step, false)}`,
    `  redis:     ${JSON.stringify(finding.expected.slice(0, SHOWN_REPLY))}`,
    `  miniredis: ${JSON.stringify(finding.actual.slice(0, SHOWN_REPLY))}`,
  ].join("\n");
}

/** Runs steps on fresh servers, and compares their contents at the end. */
async function runEpisode(
  peers: Peers,
  steps: readonly Step[],
): Promise<Disagreement | undefined> {
  await startAfresh(peers);
  return await runSteps(peers, steps) ?? await compareContents(peers, steps.length - 1);
}

async function shorten(
  peers: Peers,
  steps: readonly Step[],
  found: Disagreement,
): Promise<Finding> {
  let last = found;
  const shortest = await shrinkSteps(steps, async (candidate) => {
    const again = await runEpisode(peers, candidate);
    if (again === undefined) return 0;
    last = again;
    return again.index + 1;
  }, SHRINK_MS);
  return { ...last, steps: shortest };
}

async function main(args: string[]): Promise<number> {
  const flags = parseArgs(args, {
    string: ["commands", "seed", "redis", "favour", "failures", "out"],
    boolean: ["help"],
  });
  if (flags.help) {
    console.log(USAGE);
    return 0;
  }
  const redis = String(flags.redis ?? "redis-server");
  const absence = await whyNoReference(redis);
  if (absence !== undefined) {
    console.error(`nothing to compare with: ${absence}`);
    return 1;
  }
  const seed = Number(flags.seed ?? crypto.getRandomValues(new Int32Array(1))[0]);
  const commands = Number(flags.commands ?? 200_000);
  console.log(`${commands} commands, --seed ${seed}`);
  const start = performance.now();
  const findings = await compareServers({
    commands,
    seed,
    redis,
    failures: Number(flags.failures ?? 1),
    ...(flags.favour !== undefined && { favoured: new RegExp(String(flags.favour)) }),
  });
  for (const finding of findings) console.log(`\n${describeFinding(finding)}`);
  if (flags.out !== undefined && findings.length > 0) {
    await Deno.writeTextFile(String(flags.out), describeFinding(findings[0], true) + "\n");
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`\n${findings.length} disagreements, ${seconds} s`);
  return findings.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
