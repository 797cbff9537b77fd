/**
 * Ctrl-R: looking for a line that was typed before, by any part of it.
 *
 * @module
 */

/** A search that is under way. */
export class HistorySearch {
  readonly #lines: readonly string[];
  #query = "";
  /** The line that was found last; behind the last line before there is one. */
  #index: number;
  #found: { readonly line: string; readonly at: number };
  #failed = false;

  /**
   * Starts with nothing searched for.
   *
   * @param lines Where to look; the latest line is the last.
   * @param typed What stands on the line until something is found.
   */
  constructor(lines: readonly string[], typed: string) {
    this.#lines = lines;
    this.#index = lines.length;
    this.#found = { line: typed, at: typed.length };
  }

  /** What stands in front of the line that was found. */
  get prompt(): string {
    return `(${this.#failed ? "failed " : ""}reverse-i-search)\`${this.#query}': `;
  }

  /** The line that was found last, or what was typed before the search. */
  get line(): string {
    return this.#found.line;
  }

  /** Where in that line the text is that is searched for. */
  get cursor(): number {
    return this.#found.at;
  }

  /** Searches for more: the same line, if it matches still, or an older one. */
  type(text: string): void {
    this.#query += text;
    this.#look(this.#index, -1);
  }

  /** Searches for one character less, from the latest line on. */
  erase(): void {
    this.#query = [...this.#query].slice(0, -1).join("");
    this.#index = this.#lines.length;
    this.#look(this.#index, -1);
  }

  /** Goes on to an older line. */
  older(): void {
    this.#look(this.#index - 1, -1, this.#found.line);
  }

  /** Goes back to a younger line. */
  newer(): void {
    this.#look(this.#index + 1, 1, this.#found.line);
  }

  /**
   * Looks for a line.
   *
   * @param from The first line to look at.
   * @param step To older lines, or to younger ones.
   * @param known A line that would be no news.
   */
  #look(from: number, step: -1 | 1, known?: string): void {
    this.#failed = false;
    if (this.#query === "") return;
    const query = this.#query.toLowerCase();
    const count = this.#lines.length;
    for (let index = Math.min(from, count - 1); index >= 0 && index < count; index += step) {
      const line = this.#lines[index];
      const at = line.toLowerCase().lastIndexOf(query);
      if (at < 0 || line === known) continue;
      this.#index = index;
      this.#found = { line, at };
      return;
    }
    this.#failed = true;
  }
}
