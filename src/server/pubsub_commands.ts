/**
 * Handlers of the commands that publish messages and subscribe to them.
 *
 * What SUBSCRIBE and its like say isn't a reply: it is a message for each channel, which in RESP3 comes as a push,
 * and comes even to a client that wants no replies.
 *
 * @module
 */
import type { Handler } from "../commands/context.ts";
import { replyHelp } from "../commands/generic.ts";
import type { PUBSUB_SPECS } from "../commands/specs/pubsub.ts";
import type { HandlersFor } from "../commands/specs/types.ts";
import { globMatch } from "../keyspace/glob.ts";
import { serverHandler } from "./connection_commands.ts";
import type { ServerContext } from "./server_context.ts";
import type { TopicKind } from "./subscriptions.ts";
import type { Topics } from "./subscriptions/topics.ts";

/** How many topics a client is told that it subscribes to: shard channels count apart. */
function countOf(context: ServerContext, kind: TopicKind): number {
  const { topics } = context.client;
  if (topics === null) return 0;
  return kind === "shardChannels" ? topics.shardChannels.size : topics.count;
}

/** Tells a client of a subscription that has begun or ended; `name` is null when there was none to end. */
function tell(
  context: ServerContext,
  event: string,
  kind: TopicKind,
  name: Uint8Array | null,
): void {
  const count = countOf(context, kind);
  context.server.clients.subscriptions.confirm(context.client, (reply) => {
    reply.push(3);
    reply.bulk(event);
    if (name === null) reply.nullBulk();
    else reply.bulkBytes(name);
    reply.integer(count);
  });
}

function subscribe(event: string, kind: TopicKind): Handler {
  return serverHandler((context) => {
    const { client, server: { clients: { subscriptions } }, view, starts, lengths } = context;
    for (let index = 1; index < context.argc; index++) {
      const topic = subscriptions.subscribe(client, kind, view, starts[index], lengths[index]);
      tell(context, event, kind, topic.name);
    }
  });
}

function unsubscribe(event: string, kind: TopicKind): Handler {
  return serverHandler((context) => {
    const { client, server: { clients: { subscriptions } }, view, starts, lengths } = context;
    for (let index = 1; index < context.argc; index++) {
      const topic = subscriptions[kind].find(view, starts[index], lengths[index]);
      subscriptions.unsubscribe(client, kind, topic);
      tell(context, event, kind, context.argument(index).slice());
    }
    if (context.argc > 1) return;
    const topics = client.topics === null ? [] : [...client.topics[kind]];
    if (topics.length === 0) return tell(context, event, kind, null);
    for (const topic of topics) {
      subscriptions.unsubscribe(client, kind, topic);
      tell(context, event, kind, topic.name);
    }
  });
}

/** Has replicas publish it too, where it changes nothing either. */
function tellReplicas(context: ServerContext): void {
  const { client, database, server: { journal } } = context;
  if (!journal.heardWhole) return;
  journal.appendAside(database.number, context.allArguments());
  client.wrote = journal.position;
}

function publish(context: ServerContext): void {
  const { reply, server: { clients: { subscriptions } }, starts, lengths } = context;
  const receivers = subscriptions.publish(context, starts[1], lengths[1], starts[2], lengths[2]);
  tellReplicas(context);
  reply.integer(receivers);
}

function publishToShard(context: ServerContext): void {
  const { reply, server: { clients: { subscriptions } }, starts, lengths } = context;
  reply.integer(
    subscriptions.publishToShard(context, starts[1], lengths[1], starts[2], lengths[2]),
  );
  tellReplicas(context);
}

/** PUBSUB CHANNELS and SHARDCHANNELS: the channels that somebody subscribes to. */
function listChannels(kind: "channels" | "shardChannels"): Handler {
  return serverHandler((context) => {
    const { reply, argc } = context;
    if (argc > 3) {
      return reply.error(
        "ERR unknown subcommand or wrong number of arguments for " +
          `'${context.quoted(1, 128)}'. Try PUBSUB HELP.`,
      );
    }
    const names = Array.from(context.server.clients.subscriptions[kind].all, ({ name }) => name);
    const pattern = argc === 3 ? context.argument(2) : null;
    const shown = pattern === null
      ? names
      : names.filter((name) => globMatch(pattern, name, false));
    reply.array(shown.length);
    for (const name of shown) reply.bulkBytes(name);
  });
}

/** PUBSUB NUMSUB and SHARDNUMSUB: how many subscribe to each of some channels. */
function countSubscribers(kind: "channels" | "shardChannels"): Handler {
  return serverHandler((context) => {
    const { reply, argc, view, starts, lengths } = context;
    const topics: Topics = context.server.clients.subscriptions[kind];
    reply.array((argc - 2) * 2);
    for (let index = 2; index < argc; index++) {
      reply.bulkView(view, starts[index], lengths[index]);
      reply.integer(topics.find(view, starts[index], lengths[index])?.sessions.size ?? 0);
    }
  });
}

const PUBSUB_HELP = [
  "PUBSUB <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CHANNELS [<pattern>]",
  "    Name the channels that have subscribers, or those of them that match <pattern>.",
  "NUMPAT",
  "    Tell how many different patterns are subscribed to.",
  "NUMSUB [<channel> ...]",
  "    Tell how many subscribe to each <channel> by its name.",
  "SHARDCHANNELS [<pattern>]",
  "    As CHANNELS, for shard channels.",
  "SHARDNUMSUB [<shardchannel> ...]",
  "    As NUMSUB, for shard channels.",
  "HELP",
  "    Show this help.",
];

/** The handlers of the commands that publish messages and subscribe to them. */
export const PUBSUB_HANDLERS: HandlersFor<typeof PUBSUB_SPECS, Handler> = {
  subscribe: subscribe("subscribe", "channels"),
  unsubscribe: unsubscribe("unsubscribe", "channels"),
  psubscribe: subscribe("psubscribe", "patterns"),
  punsubscribe: unsubscribe("punsubscribe", "patterns"),
  ssubscribe: subscribe("ssubscribe", "shardChannels"),
  sunsubscribe: unsubscribe("sunsubscribe", "shardChannels"),
  publish: serverHandler(publish),
  spublish: serverHandler(publishToShard),
  pubsub: {
    channels: listChannels("channels"),
    numsub: countSubscribers("channels"),
    numpat: serverHandler((context) =>
      context.reply.integer(context.server.clients.subscriptions.patterns.all.size)
    ),
    shardchannels: listChannels("shardChannels"),
    shardnumsub: countSubscribers("shardChannels"),
    help: (context) => replyHelp(context, PUBSUB_HELP),
  },
};
