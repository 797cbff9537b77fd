/**
 * Glob patterns, for PSUBSCRIBE, SENTINEL RESET and SENTINEL CONFIG GET.
 *
 * @module
 */

/** A test for texts that match a pattern of `*`, `?`, `[a-z]`, `[^a]` and `\` before what stands for itself. */
export function globMatcher(pattern: string, ignoreCase = false): (text: string) => boolean {
  let source = "";
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "*") source += source.endsWith(".*") ? "" : ".*";
    else if (character === "?") source += ".";
    else if (character === "[") {
      const end = classEnd(pattern, at);
      source += classSource(pattern.slice(at + 1, end));
      at = end;
    } else {
      if (character === "\\" && at + 1 < pattern.length) at++;
      source += literal(pattern[at]);
    }
  }
  const expression = new RegExp(`^${source}$`, ignoreCase ? "is" : "s");
  return (text) => expression.test(text);
}

/** Where a class that starts at `from` ends; one that isn't closed ends with the pattern. */
function classEnd(pattern: string, from: number): number {
  let at = from + 1;
  while (at < pattern.length && pattern[at] !== "]") at += pattern[at] === "\\" ? 2 : 1;
  return Math.min(at, pattern.length);
}

function classSource(content: string): string {
  const negated = content.startsWith("^");
  const members = negated ? content.slice(1) : content;
  if (members === "") return negated ? "." : "(?!)";
  let source = "";
  for (let at = 0; at < members.length; at++) {
    const isRange = members[at + 1] === "-" && at + 2 < members.length;
    if (members[at] === "\\" && at + 1 < members.length) source += literal(members[++at]);
    else if (isRange) {
      const ends = [members[at], members[at + 2]].sort();
      source += `${literal(ends[0])}-${literal(ends[1])}`;
      at += 2;
    } else source += literal(members[at]);
  }
  return `[${negated ? "^" : ""}${source}]`;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}
