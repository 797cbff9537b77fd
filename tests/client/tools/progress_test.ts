import { assertEquals } from "@std/assert";
import { formatBytes, formatDuration, Progress } from "../../../src/client/tools/progress.ts";
import { FakeTerminal } from "../fake_terminal.ts";

/** A bar on a terminal of this width, and the time that it goes by. */
function startBar(columns: number | undefined, total?: number, unit = "bytes") {
  const terminal = new FakeTerminal();
  terminal.errorIsTerminal = true;
  terminal.windowColumns = columns;
  const time = { ms: 5000 };
  const progress = new Progress(terminal, { total, unit, label: "Sending", now: () => time.ms });
  return { terminal, time, progress };
}

/** What is on the terminal's last line after all that was written to it. */
function lastLine(text: string): string {
  const screen: string[] = [];
  let column = 0;
  for (const character of text) {
    if (character === "\r") column = 0;
    else screen[column++] = character;
  }
  return screen.join("").trimEnd();
}

Deno.test("a bar with a percentage, the amount, the rate and the time left", () => {
  const { terminal, time, progress } = startBar(100, 4 << 20);
  time.ms += 1000;
  progress.update(1 << 20);
  assertEquals(
    terminal.errorText,
    "\rSending  25% [##########------------------------------]  1.0 MiB  1.0 MiB/s  0:03 left",
  );
  time.ms += 3000;
  progress.update(4 << 20);
  assertEquals(
    lastLine(terminal.errorText),
    "Sending 100% [########################################]  4.0 MiB  1.0 MiB/s  0:00 left",
  );
});

Deno.test("without a total there is no bar", () => {
  const { terminal, time, progress } = startBar(100, undefined, "keys");
  time.ms += 2000;
  progress.update(12_345);
  assertEquals(terminal.errorText, "\rSending  12,345 keys  6,173 keys/s  0:02");
});

Deno.test("a narrow window gets a short bar, or none, and never a second line", () => {
  for (const columns of [60, 50, 20, 2]) {
    const { terminal, time, progress } = startBar(columns, 1000);
    time.ms += 1000;
    progress.update(500);
    const line = terminal.errorText.slice(1);
    assertEquals(line.length < columns, true, `${columns} columns: ${line}`);
    assertEquals(line.includes("["), columns === 60);
  }
  const { terminal, time, progress } = startBar(undefined, 1000);
  time.ms += 1000;
  progress.update(500);
  assertEquals(terminal.errorText.length <= 80, true);
});

Deno.test("it is drawn at most ten times a second, and not at once", () => {
  const { terminal, time, progress } = startBar(80, 100);
  let drawn = 0;
  for (let step = 0; step < 1000; step++) {
    const before = terminal.errorText.length;
    progress.update(step / 10);
    if (terminal.errorText.length > before) drawn++;
    if (step === 50) assertEquals(drawn, 0);
    time.ms++;
  }
  assertEquals(drawn, 9);
});

Deno.test("a line stands above the bar, which is drawn again", () => {
  const { terminal, time, progress } = startBar(80, 100);
  progress.line("early");
  assertEquals(terminal.errorText, "");
  time.ms += 1000;
  progress.update(50);
  const width = terminal.errorText.length - 1;
  terminal.errorText = "";
  progress.line("above");
  assertEquals(terminal.output, "early\nabove\n");
  assertEquals(terminal.errorText, `\r${" ".repeat(width)}\r`);
  progress.errorLine("oh");
  assertEquals(terminal.errors, ["oh"]);
  time.ms += 1000;
  progress.update(60);
  assertEquals(lastLine(terminal.errorText).startsWith("Sending  60%"), true);
});

Deno.test("a shorter text leaves nothing of a longer one; the end leaves nothing at all", () => {
  const { terminal, time, progress } = startBar(80, 2_000_000);
  time.ms += 1000;
  progress.update(1023);
  terminal.windowColumns = 60;
  time.ms += 100_000;
  progress.update(1_999_999);
  assertEquals(lastLine(terminal.errorText).endsWith("left"), true);
  progress.end();
  assertEquals(lastLine(terminal.errorText.slice(terminal.errorText.lastIndexOf("\r  "))), "");
  terminal.errorText = "";
  time.ms += 1000;
  progress.update(2_000_000);
  assertEquals(terminal.errorText, "");
});

Deno.test("where the error output is no terminal, only lines are written", () => {
  const { terminal, time, progress } = startBar(80, 100);
  terminal.errorIsTerminal = false;
  terminal.outputIsTerminal = true;
  time.ms += 1000;
  progress.update(50);
  progress.line("a line");
  progress.end();
  assertEquals([terminal.output, terminal.errorText], ["a line\n", ""]);
});

Deno.test("amounts and times for people", () => {
  assertEquals([0, 999, 1023, 1024, 1536, 102_400, 1_048_575, 5e9, 3e15].map(formatBytes), [
    "0 B",
    "999 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "100 KiB",
    "1.0 MiB",
    "4.7 GiB",
    "2728 TiB",
  ]);
  assertEquals([-1, 0, 59.4, 59.5, 3599, 3600, 90_061].map(formatDuration), [
    "0:00",
    "0:00",
    "0:59",
    "1:00",
    "59:59",
    "1:00:00",
    "25:01:01",
  ]);
});
