/**
 * A real redis-server beside the tests, to ask how Redis answers.
 *
 * It listens on a Unix socket in a folder of its own, so that tests that run at once can't meet.
 *
 * @module
 */

import { encodeRequest } from "../../src/protocol/request_writer.ts";

/** The version whose answers are the measure. */
const REFERENCE_VERSION = "7.0.15";

/** A reply taken apart, with the type marker of each part: nothing of the wire is lost but lengths. */
export interface ReplyNode {
  /** The byte that introduces the part on the wire. */
  readonly marker: string;
  /** A line, or the content of a bulk string; a byte is a character. `null` for RESP2's null. */
  readonly text: string | null;
  /** What an array, set or map holds; the names and values of a map alternate. */
  readonly items: readonly ReplyNode[];
}

/** A running reference server with one connection to it. */
export interface ReferenceRedis extends AsyncDisposable {
  /** Path of its Unix socket, for more connections. */
  readonly path: string;
  /** Sends a command and returns the bytes of its reply, a byte a character. */
  ask(...words: readonly (string | Uint8Array)[]): Promise<string>;
}

/**
 * Starts the reference server.
 *
 * @param args Further options.
 * @returns The server, or `undefined` after saying why on the console when there is none here.
 */
export async function startReferenceRedis(
  ...args: readonly string[]
): Promise<ReferenceRedis | undefined> {
  const absence = await whyAbsent();
  if (absence !== undefined) {
    console.log(`not compared with Redis: ${absence}`);
    return undefined;
  }
  const folder = await Deno.makeTempDir({ prefix: "reference-redis-" });
  const path = `${folder}/redis.sock`;
  const process = new Deno.Command("redis-server", {
    args: [
      ...["--port", "0", "--unixsocket", path, "--save", "", "--dir", folder],
      ...["--enable-debug-command", "yes", ...args],
    ],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const connection = await connectSoon(path);
  return {
    path,
    ask: (...words) => ask(connection, words),
    async [Symbol.asyncDispose](): Promise<void> {
      connection.close();
      process.kill("SIGKILL");
      await process.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

/**
 * Takes a reply apart.
 *
 * @param bytes One whole reply, a byte a character.
 */
export function parseReply(bytes: string): ReplyNode {
  const parsed = parseAt(bytes, 0);
  if (parsed === undefined || parsed.end !== bytes.length) throw new Error("not one whole reply");
  return parsed.node;
}

async function whyAbsent(): Promise<string | undefined> {
  if (Deno.build.os === "windows") return "Redis doesn't run on Windows";
  try {
    const { stdout } = await new Deno.Command("redis-server", { args: ["--version"] }).output();
    const version = new TextDecoder().decode(stdout);
    if (version.includes(`v=${REFERENCE_VERSION} `)) return undefined;
    return `the redis-server here is not ${REFERENCE_VERSION}: ${version.trim()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "there is no redis-server here";
    throw error;
  }
}

/** Connects to a Unix socket that a server is just about to open; gives up after five seconds. */
export async function connectSoon(path: string): Promise<Deno.UnixConn> {
  for (let attempt = 1;; attempt++) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (error) {
      if (attempt === 500) throw error;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}

async function ask(
  connection: Deno.UnixConn,
  words: readonly (string | Uint8Array)[],
): Promise<string> {
  const request = encodeRequest(words);
  for (let sent = 0; sent < request.length;) {
    sent += await connection.write(request.subarray(sent));
  }
  const buffer = new Uint8Array(1 << 16);
  let received = "";
  while (parseAt(received, 0) === undefined) {
    const size = await connection.read(buffer);
    if (size === null) throw new Error("the reference server closed the connection");
    for (const byte of buffer.subarray(0, size)) received += String.fromCharCode(byte);
  }
  return received;
}

/** One part of a reply and where it ends, or `undefined` when its end hasn't come yet. */
function parseAt(bytes: string, start: number): { node: ReplyNode; end: number } | undefined {
  const lineEnd = bytes.indexOf("\r\n", start);
  if (lineEnd < 0) return undefined;
  const marker = bytes[start];
  const line = bytes.slice(start + 1, lineEnd);
  let end = lineEnd + 2;
  if ("+-:_#,(".includes(marker)) return { node: { marker, text: line, items: [] }, end };
  const size = Number(line);
  if (size < 0) return { node: { marker, text: null, items: [] }, end };
  if ("$=!".includes(marker)) {
    const text = bytes.slice(end, end + size);
    end += size + 2;
    return end > bytes.length ? undefined : { node: { marker, text, items: [] }, end };
  }
  if (!"*~%>".includes(marker)) throw new Error(`unknown type of reply: ${marker}`);
  const items: ReplyNode[] = [];
  for (let left = marker === "%" ? 2 * size : size; left > 0; left--) {
    const item = parseAt(bytes, end);
    if (item === undefined) return undefined;
    items.push(item.node);
    end = item.end;
  }
  return { node: { marker, text: "", items }, end };
}
