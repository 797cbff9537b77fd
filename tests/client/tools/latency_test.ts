import { assert, assertEquals } from "@std/assert";
import {
  Latencies,
  measureLatency,
  measureLatencyHistory,
} from "../../../src/client/tools/latency.ts";
import { drawLatencies, Spectrum } from "../../../src/client/tools/latency_distribution.ts";
import { FakeTerminal } from "../fake_terminal.ts";
import type { Answer } from "../scripted_server.ts";
import { ImpatientTerminal, runTool, runToolItself, simple, steppingClock } from "./tool_run.ts";

const CLEAR_LINE = "\x1b[0G\x1b[2K";

const answerPong = () => simple("PONG");

/** A terminal whose reader has seen enough after so many bytes. */
function screen(patienceBytes: number): ImpatientTerminal {
  const terminal = new ImpatientTerminal(patienceBytes);
  terminal.outputIsTerminal = true;
  return terminal;
}

Deno.test("latencies in each format", () => {
  const latencies = new Latencies();
  for (const latencyMs of [3, 0, 12, 1, 1, 1, 1, 2]) latencies.add(latencyMs);
  assertEquals(latencies.format("standard"), "min: 0, max: 12, avg: 2.62 (8 samples)");
  assertEquals(latencies.format("raw"), "0 12 2.62 8\n");
  assertEquals(latencies.format("csv"), "0,12,2.62,8\n");
  assertEquals(latencies.format("json"), '{"min": 0, "max": 12, "avg": 2.62, "count": 8}\n');
});

Deno.test("for a program, the latency of a second, or of another time", async () => {
  // Two looks at the clock for each PING, and one after it.
  const measure = (stepMs: number, ...options: string[]) =>
    runToolItself(
      (context) => measureLatency(context, steppingClock(stepMs)),
      options,
      answerPong,
    );
  const second = await measure(300);
  assertEquals([second.code, second.output], [0, "300 300 300.00 2\n"]);
  assertEquals(second.commands, ["PING", "PING"]);
  assertEquals((await measure(300, "-i", "0.5", "--csv")).output, "300,300,300.00,1\n");
  // In a quarter of a millisecond, one time in four, another one begins; here once in six.
  assertEquals((await measure(0.25, "-i", "0.004")).output, "0 1 0.17 6\n");
});

Deno.test("on a terminal, figures are drawn over until Ctrl-C is pressed", async () => {
  const terminal = screen(60);
  const { code, output, errors } = await runToolItself(
    (context) => measureLatency(context, steppingClock(2)),
    [],
    answerPong,
    terminal,
  );
  assertEquals(
    output,
    `${CLEAR_LINE}min: 2, max: 2, avg: 2.00 (1 samples)` +
      `${CLEAR_LINE}min: 2, max: 2, avg: 2.00 (2 samples)\n`,
  );
  assertEquals([code, errors], [130, []]);
});

Deno.test("a history is a line for each interval", async () => {
  const history = (options: string[], terminal: FakeTerminal) =>
    runToolItself(
      (context) => measureLatencyHistory(context, steppingClock(1000)),
      options,
      answerPong,
      terminal,
    );
  const drawn = (count: number) =>
    `${CLEAR_LINE}min: 1000, max: 1000, avg: 1000.00 (${count} samples)`;
  const result = await history(["-i", "5"], screen(150));
  assertEquals(
    result.output,
    `${drawn(1)}${drawn(2)} -- 6.00 seconds range\n${drawn(1)}\n`,
  );
  assertEquals(result.code, 130);

  const usual = await history([], screen(300));
  assertEquals(usual.output.split("\n")[0].endsWith(`${drawn(5)} -- 15.00 seconds range`), false);
  assertEquals(usual.output.split("\n")[0].endsWith(`${drawn(6)} -- 18.00 seconds range`), true);

  const raw = await history(["-i", "5"], new ImpatientTerminal(70));
  assertEquals(
    raw.output,
    "1000 1000 1000.00 1\n1000 1000 1000.00 2\n -- 6.00 seconds range\n1000 1000 1000.00 1\n",
  );
});

Deno.test("Ctrl-C doesn't wait for a reply", async () => {
  for (const tool of ["--latency", "--latency-history", "--latency-dist", "--stat"]) {
    const terminal = new FakeTerminal();
    const result = await runTool([tool], () => {
      setTimeout(() => assert(terminal.interrupt()), 0);
      return "";
    }, terminal);
    assertEquals([result.code, result.output, result.errors], [130, "", []], tool);
  }
});

Deno.test("a server that goes for good ends it when Ctrl-C is pressed", async () => {
  const terminal = screen(1);
  const result = await runTool(["--latency"], () => "close", terminal);
  assertEquals(result.code, 130);
  assertEquals(result.output, "\r\x1b[0KReconnecting... 1\r\n");
});

Deno.test("a server that comes back otherwise", async () => {
  // The first connection is taken in, and closed at its first PING.
  const answer = (comeback: Answer) => {
    let logins = 0;
    return (words: string[]): Answer =>
      words[0] === "PING" ? "close" : ++logins === 1 ? "+OK\r\n" : comeback;
  };
  const refused = await runTool(["--latency", "-n", "3"], answer("-ERR no such database\r\n"));
  assertEquals(refused.code, 1);
  assertEquals(refused.errors, [
    "Reconnecting: Server closed the connection",
    "SELECT 3 failed: ERR no such database",
  ]);

  const terminal = new FakeTerminal();
  const closing = answer("close");
  const patient = await runTool(["--latency", "-n", "3"], (words) => {
    const text = closing(words);
    if (words[0] === "SELECT" && text === "close") setTimeout(() => terminal.interrupt(), 5);
    return text;
  }, terminal);
  assertEquals(patient.code, 130);
  assertEquals(patient.errors, ["Reconnecting: Server closed the connection"]);
});

Deno.test("what is no server's reply ends it with a line", async () => {
  const result = await runTool(["--latency"], () => "HTTP/1.1 400 Bad Request\r\n");
  assertEquals(result.code, 1);
  assertEquals(result.errors, ['Error: Protocol error, got "H" as reply type byte, at byte 0']);
});

/** The signs of a spectrum, each with the colour behind it. */
function spectrumColours(line: string): Record<string, number> {
  const [, ...parts] = line.split("\x1b[48;5;");
  return Object.fromEntries(parts.map((part) => {
    const [colour, sign] = part.split("m");
    return [sign[0], Number(colour)];
  }));
}

Deno.test("latencies as a spectrum", () => {
  const spectrum = new Spectrum(false);
  for (let count = 0; count < 98; count++) spectrum.add(126);
  spectrum.add(10);
  spectrum.add(60_000_001);
  const line = spectrum.draw();
  assert(line.startsWith("\x1b[38;5;0m\x1b[48;5;233m."), line);
  assert(line.endsWith("\x1b[48;5;233m?\x1b[0m\n"), line);
  const colours = spectrumColours(line);
  assertEquals(Object.keys(colours).toSorted().join(""), "#*-.123456789?ABCDEFGHIJKLMNOPQ");
  assertEquals([colours["."], colours["-"], colours["*"], colours["?"]], [233, 0, 196, 233]);
  assertEquals(new Set(Object.values(spectrumColours(spectrum.draw()))), new Set([0]));

  const grey = new Spectrum(true);
  grey.add(9000);
  grey.add(9001);
  const { 9: nine, A: ten } = spectrumColours(grey.draw());
  assertEquals([nine, ten], [241, 241]);
  assertEquals(spectrumColours(grey.legend())[" "], 253);
});

Deno.test("a spectrum is drawn for each interval, a legend now and then", async () => {
  const { code, output, errors } = await runToolItself(
    (context) => drawLatencies(context, steppingClock(5)),
    ["-i", "0.01"],
    answerPong,
    new ImpatientTerminal(12_000),
  );
  assertEquals([code, errors], [130, []]);
  const spectra = output.split("\n").filter((line) => line.startsWith("\x1b[38;5;0m"));
  assert(spectra.length > 20);
  for (const line of spectra) {
    const bright = Object.entries(spectrumColours(line)).filter(([, colour]) => colour !== 0);
    assertEquals(bright, [["5", 196]]);
  }
  const legends = output.split("From 0 to 100%: ").length - 1;
  assertEquals(legends, Math.ceil(spectra.length / 20));
  assert(output.startsWith(new Spectrum(false).legend()));
});
