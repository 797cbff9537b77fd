/**
 * Handlers of the commands on consumer groups; their descriptions are in `specs/stream_groups.ts`. XREADGROUP is in
 * `stream_reading.ts`, and what is pending in `stream_pending.ts`.
 *
 * As in Redis, changes of groups are events, but who watches the key with WATCH isn't told of them.
 *
 * @module
 */
import {
  createConsumer,
  createGroup,
  findChild,
  GROUP_LAST_ID,
  GROUP_READ,
  pendingCount,
  removeChild,
} from "../keyspace/stream_groups.ts";
import { forgetConsumer } from "../keyspace/stream_pending.ts";
import { setRootNumber, STREAM_LAST_ID } from "../keyspace/stream_root.ts";
import { addStream } from "../keyspace/streams.ts";
import { readId, writeId } from "../memory/id_tree.ts";
import type { Context, Handler } from "./context.ts";
import { replyHelp } from "./generic.ts";
import type { STREAM_GROUP_SPECS } from "./specs/stream_groups.ts";
import type { HandlersFor } from "./specs/types.ts";
import { idArgument, isCharacter, nameArgument, streamForWriting } from "./stream_arguments.ts";
import { noteSeen } from "./stream_effects.ts";
import { refuseSubcommand } from "./stream_info.ts";
import { xack, xpending } from "./stream_pending.ts";
import { xautoclaim, xclaim } from "./stream_claiming.ts";
import { xreadgroup } from "./stream_reading.ts";

const DOLLAR = 0x24;
const NO_STREAM = "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you " +
  "may want to use the MKSTREAM option to create an empty stream automatically.";
/** CREATE and SETID with all that they can have. */
const MOST_CREATE_ARGUMENTS = 8;

/** The options of XGROUP CREATE and SETID. */
interface GroupOptions {
  /** Whether a stream that isn't there is made. */
  makeStream: boolean;
  /** How many entries the group has read: upper half, */
  readHigh: number;
  /** and lower half; -1 in all if that isn't known. */
  readLow: number;
}

/** Reads the options of XGROUP CREATE or SETID; null after an error reply. */
function readOptions(context: Context, creates: boolean): GroupOptions | null {
  const options = { makeStream: false, readHigh: -1, readLow: -1 };
  for (let index = 5; index < context.argc; index++) {
    if (creates && context.isWord(index, "MKSTREAM")) options.makeStream = true;
    else if (context.isWord(index, "ENTRIESREAD") && index + 1 < context.argc) {
      if (!context.integer(++index)) return null;
      const { high, low } = context.number;
      if (high < 0 && (high & low) !== -1) {
        context.reply.error("ERR value for ENTRIESREAD must be positive or -1");
        return null;
      }
      options.readHigh = high;
      options.readLow = low;
    } else {
      refuseSubcommand(context, "XGROUP");
      return null;
    }
  }
  return options;
}

/** The stream in argument 2, which there has to be; 0 after an error reply. */
function existingStream(context: Context): number {
  const root = streamForWriting(context, 2);
  if (root === 0) context.reply.error(NO_STREAM);
  return Math.max(0, root);
}

/** The group in argument 3 of the stream in argument 2; 0 after an error reply. */
function existingGroup(context: Context): number {
  const root = existingStream(context);
  if (root === 0) return 0;
  const group = findChild(context.keyspace, root, nameArgument(context, 3));
  if (group === 0) {
    context.reply.error(
      `NOGROUP No such consumer group '${context.quoted(3)}' for key name '${context.quoted(2)}'`,
    );
  }
  return group;
}

/** Reads argument 4 as the id that a group of the stream (0 for none) is at; false after an error reply. */
function groupIdArgument(context: Context, root: number, strict: boolean): boolean {
  const { keyspace: { arena }, streams: { id } } = context;
  if (!isCharacter(context, 4, DOLLAR)) return idArgument(context, 4, id, strict);
  if (root === 0) id.setLowest();
  else readId(arena, root, STREAM_LAST_ID, id);
  return true;
}

function create(context: Context): void {
  const { argc, reply, keyspace } = context;
  const options = readOptions(context, true);
  if (options === null) return;
  const root = options.makeStream ? streamForWriting(context, 2) : existingStream(context);
  if (root < 0 || (root === 0 && !options.makeStream)) return;
  if (argc > MOST_CREATE_ARGUMENTS) return refuseSubcommand(context, "XGROUP");
  if (!groupIdArgument(context, root, true)) return;
  if (root === 0) {
    const { database, view, starts, lengths } = context;
    addStream(database, view, starts[2], lengths[2], (made) => addGroup(context, made, options));
    context.changed(2, "xgroup-create");
    return reply.simple("OK");
  }
  if (findChild(keyspace, root, nameArgument(context, 3)) !== 0) {
    return reply.error("BUSYGROUP Consumer Group name already exists");
  }
  addGroup(context, root, options);
  context.noted(2, "xgroup-create");
  reply.simple("OK");
}

/** Adds the group in argument 3, which isn't there, to a stream. */
function addGroup(context: Context, root: number, options: GroupOptions): void {
  const { keyspace, streams: { id } } = context;
  const group = createGroup(keyspace, root, nameArgument(context, 3));
  writeId(keyspace.arena, group, GROUP_LAST_ID, id);
  setRootNumber(keyspace.arena, group, GROUP_READ, options.readHigh, options.readLow);
}

function setId(context: Context): void {
  const { argc, keyspace: { arena }, streams: { id } } = context;
  const options = readOptions(context, false);
  if (options === null) return;
  const group = existingGroup(context);
  if (group === 0) return;
  if (argc !== 5 && argc !== 7) return refuseSubcommand(context, "XGROUP");
  if (!groupIdArgument(context, streamForWriting(context, 2), false)) return;
  writeId(arena, group, GROUP_LAST_ID, id);
  setRootNumber(arena, group, GROUP_READ, options.readHigh, options.readLow);
  context.noted(2, "xgroup-setid");
  context.reply.simple("OK");
}

function destroy(context: Context): void {
  const { keyspace, reply } = context;
  const root = existingStream(context);
  if (root === 0) return;
  if (!removeChild(keyspace, root, nameArgument(context, 3))) return reply.integer(0);
  context.noted(2, "xgroup-destroy");
  reply.integer(1);
}

function makeConsumer(context: Context): void {
  const { keyspace, reply } = context;
  const group = existingGroup(context);
  if (group === 0) return;
  const name = nameArgument(context, 4);
  if (findChild(keyspace, group, name) !== 0) return reply.integer(0);
  noteSeen(context, createConsumer(keyspace, group, name));
  context.noted(2, "xgroup-createconsumer");
  reply.integer(1);
}

function deleteConsumer(context: Context): void {
  const { keyspace, reply, streams: { id, pending } } = context;
  const { arena } = keyspace;
  const group = existingGroup(context);
  if (group === 0) return;
  const name = nameArgument(context, 4);
  const consumer = findChild(keyspace, group, name);
  if (consumer === 0) return reply.integer(0);
  const count = pendingCount(arena, consumer);
  forgetConsumer(arena, group, consumer, id, pending);
  removeChild(keyspace, group, name);
  context.noted(2, "xgroup-delconsumer");
  reply.integer(count);
}

const XGROUP_HELP = [
  "XGROUP <subcommand> [<arg> [value] [opt] ...]. Subcommands are:",
  "CREATE <key> <groupname> <id|$> [MKSTREAM] [ENTRIESREAD <entries_read>]",
  "    Make a group that reads what is behind <id>, or what is added from now on.",
  "    MKSTREAM: make the stream if there is none.",
  "    ENTRIESREAD: so many entries count as read.",
  "CREATECONSUMER <key> <groupname> <consumer>",
  "    Make a consumer.",
  "DELCONSUMER <key> <groupname> <consumer>",
  "    Delete a consumer with what is pending for it.",
  "DESTROY <key> <groupname>",
  "    Delete a group.",
  "SETID <key> <groupname> <id|$> [ENTRIESREAD <entries_read>]",
  "    Have a group go on behind <id>, or with what is added from now on.",
  "HELP",
  "    Show this help.",
];

/** The handlers of the commands on consumer groups. */
export const STREAM_GROUP_HANDLERS: HandlersFor<typeof STREAM_GROUP_SPECS, Handler> = {
  xgroup: {
    create,
    setid: setId,
    destroy,
    createconsumer: makeConsumer,
    delconsumer: deleteConsumer,
    help: (context) => replyHelp(context, XGROUP_HELP),
  },
  xreadgroup,
  xack,
  xpending,
  xclaim,
  xautoclaim,
};
