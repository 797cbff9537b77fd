/**
 * A terminal of its own for a program, with a keyboard and a screen: a window of tmux.
 *
 * @module
 */

/** How long a program may take to show something; much longer than it ever needs. */
const PATIENCE_MS = 60_000;
const POLL_MS = 50;

/** Why there is no tmux, if there is none. */
export async function whyNoTmux(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "tmux doesn't run on Windows";
  try {
    const { stdout } = await new Deno.Command("tmux", { args: ["-V"] }).output();
    const version = new TextDecoder().decode(stdout).trim();
    return Number(/(\d+\.\d+)/.exec(version)?.[1]) >= 3.2 ? undefined : `${version} is too old`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no tmux";
    throw error;
  }
}

/** A window with a shell in it; disposing of it closes it. */
export class TmuxWindow implements AsyncDisposable {
  readonly #socket: string;

  private constructor(socket: string) {
    this.#socket = socket;
  }

  /**
   * Opens a window, with the environment of this process but for `NO_COLOR`.
   *
   * @param folder Where the shell starts, and where tmux keeps its socket.
   * @param columns How wide it is.
   * @param rows How high it is.
   */
  static async open(folder: string, columns: number, rows: number): Promise<TmuxWindow> {
    const window = new TmuxWindow(`${folder}/tmux`);
    await window.#run(
      ...["new-session", "-d", "-x", `${columns}`, "-y", `${rows}`, "-c", folder],
      "env -u NO_COLOR PS1='shell$ ' bash --norc --noprofile -i",
    );
    return window;
  }

  /** Presses keys, by tmux's names for them: `Enter`, `Tab`, `C-c`, `Up`. */
  async press(...keys: string[]): Promise<void> {
    await this.#run("send-keys", ...keys);
  }

  /** Types a text as it is. */
  async type(text: string): Promise<void> {
    await this.#run("send-keys", "-l", "--", text);
  }

  /** Types a line, and Enter. */
  async enter(line: string): Promise<void> {
    await this.type(line);
    await this.press("Enter");
  }

  /**
   * Types a line, and Enter, to a shell that may just be taking over the terminal: what was typed a
   * moment before that is lost, and typed again.
   *
   * @throws {Error} if it is lost for a long time.
   */
  async enterSurely(line: string): Promise<void> {
    const deadline = Date.now() + PATIENCE_MS;
    do {
      if (Date.now() > deadline) throw new Error(`nothing shows what is typed: ${line}`);
      await this.press("C-u");
      await this.type(line);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    } while (!(await this.text()).endsWith(` ${line}`));
    await this.press("Enter");
  }

  /**
   * Pastes a text.
   *
   * @param text The text.
   * @param marked Whether its ends are marked, if the program has asked for that.
   */
  async paste(text: string, marked: boolean): Promise<void> {
    await this.#run("set-buffer", "--", text);
    await this.#run("paste-buffer", ...(marked ? ["-p"] : []));
  }

  /** Makes it wider or narrower. */
  async resize(columns: number): Promise<void> {
    await this.#run("resize-window", "-x", `${columns}`);
  }

  /** What it shows, without the empty lines at the end. */
  async text(): Promise<string> {
    return (await this.#run("capture-pane", "-p")).trimEnd();
  }

  /** What it shows, with the control sequences for colours. */
  async colouredText(): Promise<string> {
    return (await this.#run("capture-pane", "-p", "-e")).trimEnd();
  }

  /**
   * Waits until it shows a text.
   *
   * @param expected The text, or what it looks like.
   * @returns all that it shows then.
   * @throws {Error} if it doesn't for a long time.
   */
  async shows(expected: string | RegExp): Promise<string> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const text = await this.text();
      const found = typeof expected === "string" ? text.includes(expected) : expected.test(text);
      if (found) return text;
      if (Date.now() > deadline) throw new Error(`no ${expected} in the window:\n${text}`);
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Closes it, with all that runs in it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run("kill-server");
  }

  async #run(...args: string[]): Promise<string> {
    const { success, stdout, stderr } = await new Deno.Command("tmux", {
      args: ["-u", "-f", "/dev/null", "-S", this.#socket, ...args],
      env: { TERM: "xterm-256color" },
    }).output();
    const decoder = new TextDecoder();
    if (!success) throw new Error(`tmux ${args[0]}: ${decoder.decode(stderr)}`);
    return decoder.decode(stdout);
  }
}
