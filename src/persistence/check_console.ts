/**
 * What the checks of files say, and to whom.
 *
 * @module
 */

/** Whom a check talks to. */
export interface CheckConsole {
  /** Prints a text and an end of line. */
  print(text: string): void;
  /** Asks for a yes. */
  confirm(question: string): boolean;
  /** Shows how far a file has been read. */
  progress(position: number, size: number): void;
}

/** What a console stands on. */
export interface CheckTerminal {
  /** Writes a text. */
  readonly write: (text: string) => void;
  /** The next line that somebody typed; empty if there is none. */
  readonly readLine: () => string;
  /** Whether somebody watches, for whom a bar grows with the progress. */
  readonly watched: boolean;
}

const BAR_CHARACTERS = 40;
/** Smaller files are read before anybody has seen a bar. */
const LEAST_BAR_BYTES = 1 << 26;

/** A console on a terminal, or on what isn't one. */
export function createCheckConsole({ write, readLine, watched }: CheckTerminal): CheckConsole {
  let shown = "";
  const showBar = (bar: string): void => {
    if (bar === shown) return;
    // Back to the start of the line, whose rest is erased.
    write(`\r\x1b[K${bar}`);
    shown = bar;
  };
  return {
    print(text: string): void {
      showBar("");
      write(`${text}\n`);
    },
    confirm(question: string): boolean {
      showBar("");
      write(question);
      return /^y/i.test(readLine());
    },
    progress(position: number, size: number): void {
      if (!watched || size < LEAST_BAR_BYTES) return;
      const share = position / size;
      const bar = "#".repeat(Math.floor(share * BAR_CHARACTERS)).padEnd(BAR_CHARACTERS);
      showBar(position < size ? `[${bar}] ${Math.floor(share * 100)}%` : "");
    },
  };
}
