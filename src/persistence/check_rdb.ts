/**
 * Checks a snapshot: what redis-check-rdb does.
 *
 * The file is walked through item by item ({@linkcode RdbWindow}). Each value is read as it would be to load it, into a
 * keyspace that nobody uses, and given back at once, so that the check finds what the loading would find, and takes
 * the memory of the longest value and no more. What can't be seen that way is a key that is in the file twice.
 *
 * Lines and exit codes are those of Redis 7.0.15, with these differences: what is wrong with a value is said in our
 * own words and at the byte where it was seen; snapshots of versions up to 7.4 are read; data of modules,
 * which can't be loaded here, is a fault; a value without elements, which the loading leaves out, isn't.
 *
 * @module
 */
import { defaultLimits } from "../commands/context.ts";
import { Keyspace } from "../keyspace/keyspace.ts";
import type { Int64 } from "../protocol/integers.ts";
import { systemClock } from "../runtime/clock.ts";
import { type Files, type InputFile, systemReason } from "../runtime/files.ts";
import { systemRandomness } from "../runtime/random.ts";
import type { CheckConsole } from "./check_console.ts";
import {
  RDB_AUX,
  RDB_END,
  RDB_EXPIRY_MS,
  RDB_EXPIRY_SECONDS,
  RDB_FREQ,
  RDB_FUNCTION,
  RDB_FUNCTION_EARLY,
  RDB_IDLE,
  RDB_MODULE_AUX,
  RDB_RESIZE,
  RDB_SELECT,
  RDB_TYPE_HASH_EXPIRING,
  RDB_TYPE_HASH_EXPIRING_LAST,
  RDB_TYPE_MODULE,
  RDB_TYPE_MODULE_2,
  RDB_TYPE_STRING,
} from "./rdb_format.ts";
import {
  earlyFunction,
  LoadError,
  moduleAuxiliary,
  moduleValue,
  readRdbChecksum,
  readRdbHead,
  WITHOUT_CHECKSUM,
} from "./rdb_frame.ts";
import {
  RdbEmptyError,
  RdbEndError,
  RdbFormatError,
  type RdbReader,
  READ_INTEGER,
  READ_PLAIN,
} from "./rdb_reader.ts";
import { RdbText } from "./rdb_text.ts";
import { readFileValue } from "./rdb_values.ts";
import { RdbWindow } from "./rdb_window.ts";

/** What was found out about a snapshot. */
export interface RdbCheckResult {
  /** Whether it can be loaded. */
  readonly isValid: boolean;
  /** Where in the file it ends. */
  readonly end: number;
}

/** What is being read, as it is named when it fails. */
type Doing =
  | "start"
  | "read-type"
  | "read-expire"
  | "read-key"
  | "read-object-value"
  | "check-sum"
  | "read-len"
  | "read-aux"
  | "read-module-aux"
  | "read-functions";

/** Names of the types of values by type byte. */
const TYPE_NAMES: readonly string[] = [
  ...["string", "list-linked", "set-hashtable", "zset-v1", "hash-hashtable", "zset-v2"],
  ...["module-value", "", "", "hash-zipmap", "list-ziplist", "set-intset", "zset-ziplist"],
  ...["hash-ziplist", "quicklist", "stream", "hash-listpack", "zset-listpack", "quicklist-v2"],
];
/** A number among the types that none has. */
const NO_TYPE = 8;

const TWO_32 = 4294967296;
/** So many items are read between two looks at the progress. */
const ITEMS_PER_LOOK = 1024;
/** Longer strings are decompressed as they are loaded. */
const ROOM_BYTES = 4096;
/** Longest part of a text that is shown. */
const SHOWN_BYTES = 1024;

const decoder = new TextDecoder();

/**
 * Checks the snapshot at `path`.
 *
 * @returns the exit code: 0 if it can be loaded.
 */
export function checkRdb(files: Files, path: string, console: CheckConsole): number {
  let input: InputFile;
  try {
    input = files.openToRead(path);
  } catch (error) {
    // Redis ends without a word here.
    console.print(`[offset 0] Checking RDB file ${path}`);
    console.print(`Cannot open file ${path}: ${systemReason(error)}`);
    return 1;
  }
  try {
    return checkRdbFile(input, path, console).isValid ? 0 : 1;
  } finally {
    input.close();
  }
}

/** Checks the snapshot that `input` starts with, which is called `name` in what is printed. */
export function checkRdbFile(
  input: InputFile,
  name: string,
  console: CheckConsole,
): RdbCheckResult {
  const steps = checkRdbSteps(input, name, console);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

/** As {@linkcode checkRdbFile}, with a rest after every thousand items or so, for who has other things to do. */
export function* checkRdbSteps(
  input: InputFile,
  name: string,
  console: CheckConsole,
): Generator<void, RdbCheckResult, void> {
  console.print(`[offset 0] Checking RDB file ${name}`);
  let window: RdbWindow;
  try {
    window = new RdbWindow(input);
  } catch (error) {
    console.print("--- RDB ERROR DETECTED ---");
    console.print(`[offset 0] Cannot read file ${name}: ${systemReason(error)}`);
    return { isValid: false, end: 0 };
  }
  return yield* new RdbCheck(window, console).run();
}

/** The check of one snapshot. */
class RdbCheck {
  private doing: Doing = "start";
  /** Whether `text` is the key whose value is read. */
  private hasKey = false;
  /** The type of value that is read, or -1. */
  private type = -1;
  private keys = 0;
  private expires = 0;
  private alreadyExpired = 0;
  /** When the key that comes next expires, in unix ms, or -1. */
  private expiry = -1;
  private version = 0;
  private readonly now = systemClock.now();
  private readonly keyspace: Keyspace;
  private readonly settings = { limits: defaultLimits() };
  private readonly text = new RdbText();
  /** Strings are decompressed into it, to see whether they can be. */
  private readonly room = new Uint8Array(ROOM_BYTES);

  constructor(private readonly window: RdbWindow, private readonly console: CheckConsole) {
    // Bytes that come from anywhere must not be able to make a hash table slow.
    this.keyspace = new Keyspace(1, systemRandomness.secret(), systemRandomness.secret());
    this.keyspace.setTime(this.now);
  }

  /** Walks through the file. */
  *run(): Generator<void, RdbCheckResult, void> {
    const { window, console } = this;
    const { size } = window;
    for (let items = 1;; items++) {
      const item = window.reader.position;
      try {
        if (this.version === 0) this.version = readRdbHead(window.reader);
        else if (this.readItem(window.reader)) break;
      } catch (error) {
        const fault = this.recover(error, item);
        if (fault === undefined) continue;
        this.printFault(fault, item);
        console.progress(size, size);
        return { isValid: false, end: window.position };
      }
      if (items % ITEMS_PER_LOOK !== 0) continue;
      console.progress(window.position, size);
      yield;
    }
    console.progress(size, size);
    this.printInfo("\\o/ RDB looks OK! \\o/");
    this.printCounts();
    return { isValid: true, end: window.position };
  }

  /** Has the window hold more, if the item at `item` needs that and is to be read again; else the fault that ends the check. */
  private recover(error: unknown, item: number): unknown {
    if (!(error instanceof RdbEndError)) return error;
    try {
      if (this.window.slide(item)) return undefined;
    } catch (inTheWay) {
      // The system can't read on. A value that is longer than any window is as good as one that never ends.
      if (!(inTheWay instanceof RdbFormatError)) {
        // The bytes of the key may have been moved away.
        this.hasKey = false;
        return inTheWay;
      }
    }
    return error;
  }

  /** Reads an opcode with what belongs to it, or a key with its value; whether that was the end. */
  private readItem(reader: RdbReader): boolean {
    this.doing = "read-type";
    this.hasKey = false;
    this.type = -1;
    const type = reader.byte();
    switch (type) {
      case RDB_EXPIRY_SECONDS:
        this.doing = "read-expire";
        this.expiry = reader.view.getInt32(reader.skip(4), true) * 1000;
        return false;
      case RDB_EXPIRY_MS:
        this.doing = "read-expire";
        reader.fixedLong();
        this.expiry = toNumber(reader.number);
        return false;
      case RDB_FREQ:
        reader.byte();
        return false;
      case RDB_IDLE:
        reader.long();
        return false;
      case RDB_SELECT:
        this.doing = "read-len";
        this.printInfo(`Selecting DB ID ${reader.length()}`);
        return false;
      case RDB_RESIZE:
        this.doing = "read-len";
        reader.long();
        reader.long();
        return false;
      case RDB_AUX: {
        this.doing = "read-aux";
        const name = this.readText(reader);
        const value = this.readText(reader);
        this.printInfo(`AUX FIELD ${name} = '${value}'`);
        return false;
      }
      case RDB_FUNCTION:
        this.doing = "read-functions";
        this.text.read(reader);
        return false;
      case RDB_FUNCTION_EARLY:
        this.doing = "read-functions";
        throw earlyFunction(this.window.position);
      case RDB_MODULE_AUX:
        this.doing = "read-module-aux";
        throw moduleAuxiliary(reader, this.window.position);
      case RDB_END:
        this.compareChecksum();
        return true;
      default:
        this.readKey(reader, type);
        return false;
    }
  }

  /** Reads a key and its value. */
  private readKey(reader: RdbReader, type: number): void {
    if (type > RDB_TYPE_HASH_EXPIRING_LAST || type === NO_TYPE) {
      throw new LoadError(`Invalid object type: ${type}`, this.window.position);
    }
    this.type = type;
    this.doing = "read-key";
    this.text.read(reader);
    this.hasKey = true;
    this.doing = "read-object-value";
    if (type === RDB_TYPE_MODULE || type === RDB_TYPE_MODULE_2) {
      throw moduleValue(reader, this.window.position);
    }
    if (type >= RDB_TYPE_HASH_EXPIRING) {
      throw new LoadError(
        "The hash has fields with an expiry (Redis 7.4), which can't be kept",
        this.window.position,
      );
    }
    this.readValue(reader, type);
    this.keys++;
    if (this.expiry !== -1) {
      this.expires++;
      if (this.expiry < this.now) this.alreadyExpired++;
    }
    this.expiry = -1;
    this.hasKey = false;
    this.type = -1;
  }

  private readValue(reader: RdbReader, type: number): void {
    if (type === RDB_TYPE_STRING && this.readString(reader)) return;
    try {
      readFileValue(reader, this.keyspace, this.settings, type).discard();
    } catch (error) {
      if (!(error instanceof RdbEmptyError)) throw error;
      this.printInfo(`The key '${this.shownText()}' has no elements, and isn't loaded`);
    }
  }

  /** Reads a string, of which nothing is kept; false, and where it was, if it is one that decompresses to a long one. */
  private readString(reader: RdbReader): boolean {
    const { position } = reader;
    const form = reader.string();
    if (form === READ_PLAIN || form === READ_INTEGER) return true;
    if (reader.fullLength > this.room.length) {
      reader.position = position;
      return false;
    }
    reader.decompress(this.room.subarray(0, reader.fullLength));
    return true;
  }

  private compareChecksum(): void {
    const { version, window, window: { crc } } = this;
    this.doing = "check-sum";
    const said = readRdbChecksum(window, version);
    if (said === null) return;
    if (said.low === 0 && said.high === 0) return this.printInfo(WITHOUT_CHECKSUM);
    if (said.low !== crc.low || said.high !== crc.high) {
      throw new LoadError("RDB CRC error", window.position);
    }
    this.printInfo("Checksum OK");
  }

  private readText(reader: RdbReader): string {
    this.text.read(reader);
    return this.shownText();
  }

  /** The text that was read, as it can be shown. */
  private shownText(): string {
    const { bytes, start, length } = this.text;
    const shown = bytes.subarray(start, start + Math.min(length, SHOWN_BYTES));
    return decoder.decode(shown).replace(
      /\p{Cc}/gu,
      (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, "0")}`,
    );
  }

  /** Prints a fact about what has just been read. */
  private printInfo(text: string): void {
    this.console.print(`[offset ${this.window.position}] ${text}`);
  }

  private printCounts(): void {
    this.console.print(`[info] ${this.keys} keys read`);
    this.console.print(`[info] ${this.expires} expires`);
    this.console.print(`[info] ${this.alreadyExpired} already expired`);
  }

  /** Says what is wrong with the item at `item`, and what was read until then. */
  private printFault(error: unknown, item: number): void {
    const { console, window, type } = this;
    let position = window.position;
    let text: string;
    if (error instanceof RdbFormatError) {
      position += error.position - window.reader.position;
      text = error instanceof RdbEndError
        ? "Unexpected EOF reading RDB file"
        : error.message.replace(/ at byte \d+$/, "");
    } else if (error instanceof LoadError) {
      text = error.message;
    } else {
      // The system can't read on, or there isn't room enough for the value.
      if (!(error instanceof Error)) throw error;
      position += item - window.reader.position;
      text = systemReason(error);
    }
    console.print("--- RDB ERROR DETECTED ---");
    console.print(`[offset ${position}] ${text}`);
    console.print(`[additional info] While doing: ${this.doing}`);
    if (this.hasKey) {
      console.print(`[additional info] Reading key '${this.shownText()}'`);
      this.keys++;
    }
    if (type !== -1) {
      const name = TYPE_NAMES[type] ?? "unknown";
      console.print(`[additional info] Reading type ${type} (${name})`);
    }
    this.printCounts();
  }
}

function toNumber({ high, low }: Int64): number {
  return high * TWO_32 + (low >>> 0);
}
