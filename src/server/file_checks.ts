/**
 * `miniredis server --check-aof` and `--check-rdb`: look at the files of a server that doesn't run.
 *
 * @module
 */
import { checkAof } from "../persistence/check_aof.ts";
import { type CheckConsole, createCheckConsole } from "../persistence/check_console.ts";
import { checkRdb } from "../persistence/check_rdb.ts";
import { parseOptions, UsageError } from "../runtime/arguments.ts";
import { systemFiles, writeWhole } from "../runtime/files.ts";
import { CHECK_OPTIONS } from "./file_check_options.ts";

const ANSWER_BYTES = 1024;

/**
 * Checks a file.
 *
 * @param args Arguments that ask for it; see `asksForFileCheck`.
 * @returns the exit code.
 * @throws {UsageError} if they make no sense.
 */
export function runFileCheck(args: readonly string[]): number {
  const { values, switches, rest } = parseOptions(args, CHECK_OPTIONS);
  if (rest.length > 0) throw new UsageError(`unexpected argument '${rest[0]}'`);
  const aof = values.get("check-aof");
  const rdb = values.get("check-rdb");
  const fix = switches.has("fix");
  const truncateToTimestamp = parseTimestamp(values.get("truncate-to-timestamp"));
  const changes = fix || truncateToTimestamp !== undefined;
  if (aof !== undefined && rdb !== undefined) {
    throw new UsageError("'--check-aof' and '--check-rdb' are for one file each");
  }
  if (fix && truncateToTimestamp !== undefined) {
    throw new UsageError("'--fix' and '--truncate-to-timestamp' can't be used together");
  }
  if (aof !== undefined) {
    return checkAof(systemFiles, aof, { fix, truncateToTimestamp }, systemConsole());
  }
  if (rdb === undefined || changes) {
    throw new UsageError("'--fix' and '--truncate-to-timestamp' need '--check-aof'");
  }
  return checkRdb(systemFiles, rdb, systemConsole());
}

function parseTimestamp(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw new UsageError(`'${text}' is no unix time in seconds`);
  return Number(text);
}

function systemConsole(): CheckConsole {
  const encoder = new TextEncoder();
  return createCheckConsole({
    write: (text) => writeWhole((bytes) => Deno.stdout.writeSync(bytes), encoder.encode(text)),
    readLine: () => {
      const answer = new Uint8Array(ANSWER_BYTES);
      const size = Deno.stdin.readSync(answer) ?? 0;
      return new TextDecoder().decode(answer.subarray(0, size));
    },
    watched: Deno.stdout.isTerminal(),
  });
}
