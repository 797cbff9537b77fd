/**
 * Redis' own description of its commands, in the words of our specifications.
 *
 * @module
 */

import type {
  AclCategory,
  ArgumentFlag,
  ArgumentSpec,
  ArgumentType,
  BeginSearch,
  CommandFlag,
  CommandGroup,
  CommandSpec,
  DocFlag,
  FindKeys,
  HistoryEntry,
  KeyFlag,
  KeySpec,
  SpecTable,
} from "../../src/commands/specs/mod.ts";
import { parseReply, type ReferenceRedis, type ReplyNode } from "./reference_redis.ts";

/** A command as Redis describes it, with the numbers that we derive. */
export interface ReferenceSpec extends CommandSpec {
  /** First key, last key and step of `COMMAND INFO`. */
  readonly legacyKeyRange: readonly number[];
}

/**
 * Asks the reference server for all its commands; the connection speaks RESP2 afterwards.
 *
 * @param redis The reference server.
 * @returns Commands and subcommands by their full names.
 */
export async function readReferenceSpecs(
  redis: ReferenceRedis,
): Promise<ReadonlyMap<string, ReferenceSpec>> {
  await redis.ask("HELLO", "2");
  const infos = parseReply(await redis.ask("COMMAND")).items;
  const docs = fields(parseReply(await redis.ask("COMMAND", "DOCS")));
  const specs = new Map<string, ReferenceSpec>();
  for (const info of infos) addSpec(specs, info, docs);
  return specs;
}

function addSpec(
  specs: Map<string, ReferenceSpec>,
  info: ReplyNode,
  docs: ReadonlyMap<string, ReplyNode>,
): ReferenceSpec {
  const [name, arity, flags, first, last, step, acl, tips, keys, subInfos] = info.items;
  const fullName = text(name);
  const doc = fields(docs.get(fullName));
  const subDocs = fields(doc.get("subcommands"));
  const subcommands: Record<string, CommandSpec> = {};
  for (const subInfo of subInfos.items) {
    const subName = text(subInfo.items[0]).slice(fullName.length + 1);
    subcommands[subName] = addSpec(specs, subInfo, subDocs);
  }
  const spec: ReferenceSpec = {
    summary: text(doc.get("summary")),
    since: text(doc.get("since")),
    group: text(doc.get("group")) as CommandGroup,
    complexity: text(doc.get("complexity")),
    arity: Number(text(arity)),
    flags: texts(flags) as CommandFlag[],
    acl: texts(acl).map((category) => category.replace(/^@/, "")) as AclCategory[],
    keys: keys.items.map(readKeySpec),
    legacyKeyRange: [first, last, step].map((node) => Number(text(node))),
    ...(tips.items.length > 0 && { tips: texts(tips) }),
    ...(doc.has("doc_flags") && { docFlags: texts(doc.get("doc_flags")) as DocFlag[] }),
    ...(doc.has("deprecated_since") && { deprecatedSince: text(doc.get("deprecated_since")) }),
    ...(doc.has("replaced_by") && { replacedBy: text(doc.get("replaced_by")) }),
    ...(doc.has("history") && {
      history: doc.get("history")!.items.map((entry) => texts(entry) as unknown as HistoryEntry),
    }),
    ...(doc.has("arguments") && { arguments: doc.get("arguments")!.items.map(readArgument) }),
    ...(subInfos.items.length > 0 && { subcommands: subcommands as SpecTable }),
  };
  specs.set(fullName, spec);
  return spec;
}

function readKeySpec(node: ReplyNode): KeySpec {
  const parts = fields(node);
  const search = fields(parts.get("begin_search"));
  const find = fields(parts.get("find_keys"));
  return {
    flags: texts(parts.get("flags")) as KeyFlag[],
    beginSearch: readStep(search, {
      index: "index",
      keyword: "keyword",
      startfrom: "startFrom",
    }) as unknown as BeginSearch,
    findKeys: readStep(find, {
      lastkey: "lastKey",
      keystep: "keyStep",
      limit: "limit",
      keynumidx: "keyNumIndex",
      firstkey: "firstKey",
    }) as unknown as FindKeys,
    ...(parts.has("notes") && { notes: text(parts.get("notes")) }),
  };
}

function readStep(
  step: ReadonlyMap<string, ReplyNode>,
  names: Readonly<Record<string, string>>,
): Record<string, string | number> {
  const read: Record<string, string | number> = { type: text(step.get("type")) };
  for (const [name, value] of fields(step.get("spec"))) {
    read[names[name]] = value.marker === ":" ? Number(value.text) : text(value);
  }
  return read;
}

function readArgument(node: ReplyNode): ArgumentSpec {
  const parts = fields(node);
  return {
    name: text(parts.get("name")),
    type: text(parts.get("type")) as ArgumentType,
    ...(parts.has("key_spec_index") && { keySpecIndex: Number(text(parts.get("key_spec_index"))) }),
    ...(parts.has("token") && { token: text(parts.get("token")) }),
    ...(parts.has("since") && { since: text(parts.get("since")) }),
    ...(parts.has("deprecated_since") && { deprecatedSince: text(parts.get("deprecated_since")) }),
    ...(parts.has("flags") && { flags: texts(parts.get("flags")) as ArgumentFlag[] }),
    ...(parts.has("arguments") && { arguments: parts.get("arguments")!.items.map(readArgument) }),
  };
}

/** A map of RESP2: names and values in turn. */
function fields(node: ReplyNode | undefined): ReadonlyMap<string, ReplyNode> {
  const items = node?.items ?? [];
  const read = new Map<string, ReplyNode>();
  for (let at = 0; at < items.length; at += 2) read.set(text(items[at]), items[at + 1]);
  return read;
}

function text(node: ReplyNode | undefined): string {
  return node?.text ?? "";
}

function texts(node: ReplyNode | undefined): string[] {
  return (node?.items ?? []).map(text);
}
