/**
 * Handlers of LATENCY.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { HandlersFor, OBSERVATION_SPECS } from "../commands/specs/mod.ts";
import type { Command } from "./command_table.ts";
import { serverHandler } from "./connection_commands.ts";
import { latencyDoctor, latencyGraph } from "./latency_report.ts";
import type { ServerContext } from "./server_context.ts";

function latest(context: ServerContext): void {
  const { reply } = context;
  const events = context.server.latency.events();
  reply.array(events.length);
  for (const { name, samples, longest } of events) {
    const last = samples[samples.length - 1];
    reply.array(4);
    reply.bulk(name);
    reply.integer(last.time);
    reply.integer(last.milliseconds);
    reply.integer(longest);
  }
}

function history(context: ServerContext): void {
  const { reply } = context;
  const samples = context.server.latency.event(context.text(2))?.samples ?? [];
  reply.array(samples.length);
  for (const { time, milliseconds } of samples) {
    reply.array(2);
    reply.integer(time);
    reply.integer(milliseconds);
  }
}

function graph(context: ServerContext): void {
  const { reply, server } = context;
  const event = server.latency.event(context.text(2));
  if (event === undefined) {
    return reply.error(`ERR No samples available for event '${context.quoted(2)}'`);
  }
  reply.verbatim("txt", latencyGraph(event, server.time.unixMs));
}

function doctor(context: ServerContext): void {
  const { settings, latency } = context.server;
  const facts = { slowLogMicroseconds: settings.number("slowlog-log-slower-than") };
  context.reply.verbatim("txt", latencyDoctor(latency, facts));
}

function reset(context: ServerContext): void {
  const { latency } = context.server;
  if (context.argc === 2) return context.reply.integer(latency.forget());
  const counts = context.texts(2).map((name) => latency.forget(name));
  context.reply.integer(counts.reduce((sum, count) => sum + count, 0));
}

function histogram(context: ServerContext): void {
  const { reply, server } = context;
  const asked = context.argc === 2
    ? [...server.table.byName.values()]
    : context.texts(2).flatMap((name) => commandsNamed(context, name));
  const found = asked.filter(({ statistics }) => statistics.histogram !== null);
  reply.map(found.length);
  for (const { name, statistics } of found) {
    const counts = statistics.histogram!.cumulative();
    reply.bulk(name);
    reply.map(2);
    reply.bulk("calls");
    reply.integer(statistics.histogram!.total);
    reply.bulk("histogram_usec");
    reply.map(counts.length);
    for (const [microseconds, count] of counts) {
      reply.integer(microseconds);
      reply.integer(count);
    }
  }
}

/** The command of that name, and its subcommands. */
function commandsNamed(context: ServerContext, name: string): Command[] {
  const command = context.server.table.byName.get(name.toLowerCase());
  return command === undefined ? [] : [command, ...(command.subcommands?.values() ?? [])];
}

const LATENCY_HELP = [
  "LATENCY <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "DOCTOR",
  "    Explain in prose what took long, and what may help.",
  "GRAPH <event>",
  "    Draw the samples of an event.",
  "HISTORY <event>",
  "    Answer with the samples of an event: when, and how many milliseconds.",
  "LATEST",
  "    Answer with the latest sample of each event, and the longest time ever.",
  "RESET [<event> ...]",
  "    Forget the samples of the events, or of all.",
  "HISTOGRAM [<command> ...]",
  "    Answer with how the times of the commands are spread: how many took at most so long.",
  "HELP",
  "    Show this help.",
];

/** The handlers of LATENCY's subcommands. */
export const LATENCY_HANDLERS: HandlersFor<typeof OBSERVATION_SPECS, Handler>["latency"] = {
  latest: serverHandler(latest),
  history: serverHandler(history),
  graph: serverHandler(graph),
  doctor: serverHandler(doctor),
  reset: serverHandler(reset),
  histogram: serverHandler(histogram),
  help: (context) => replyHelp(context, LATENCY_HELP),
};
