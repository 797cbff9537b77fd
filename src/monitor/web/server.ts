/**
 * The web server of a monitor: the page, and what programs ask for (`/metrics`, `/healthz`,
 * `/api/...`). The README of this folder lists the paths.
 *
 * @module
 */

import { joinAddress } from "../../runtime/addresses.ts";
import { systemReason } from "../../runtime/files.ts";
import type { Logger } from "../../runtime/logging.ts";
import type { MonitorFace } from "../view.ts";
import { ASSETS } from "./assets.ts";
import { bindAddress, findForgeryProblem, findHostProblem, isSameSecret } from "./guard.ts";
import { findProblems } from "./health.ts";
import { METRICS_TYPE, metricsOf } from "./metrics.ts";
import { StateStream } from "./stream.ts";

/** A server of the demo, as the page shows it. */
export interface DemoNode {
  /** `host:port`. */
  readonly address: string;
  /** Whether it runs. */
  readonly running: boolean;
}

/** What can be done to the servers of a demo. */
export interface DemoControls {
  /** The servers. */
  nodes(): readonly DemoNode[];
  /** Kills a server; what is wrong if it can't be. */
  kill(address: string): string | undefined;
  /** Starts a server that was killed; what is wrong if it can't be. */
  start(address: string): Promise<string | undefined>;
}

/** Where the page is served, and what it may do. */
export interface WebOptions {
  /** The address to listen on; `*` for all of IPv4. */
  readonly hostname: string;
  /** The TCP port; 0 has the system choose. */
  readonly port: number;
  /** What who starts a failover has to know; empty: nobody can. */
  readonly token: string;
  /** Buttons that kill and start servers, in a demo. */
  readonly demo?: DemoControls;
}

/** A running web server. */
export interface Web {
  /** Its port. */
  readonly port: number;
  /** What to open in a browser. */
  readonly url: string;
  /** Ends it, with all open connections. */
  stop(): Promise<void>;
}

/** The web server couldn't be started. */
export class WebError extends Error {
  /** The name of this kind of error. */
  override readonly name = "WebError";
}

/** What the page may offer. */
interface PageControls {
  /** Whether there is a token, without which nobody can start a failover. */
  readonly failover: boolean;
  readonly demo: readonly DemoNode[] | null;
}

type Answer = Response | Promise<Response>;

const LONGEST_BODY_BYTES = 4096;

/** Nothing from elsewhere, nothing inline, and no frame of somebody else around it. */
const COMMON_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "cache-control": "no-store",
};

/**
 * Starts the web server of a monitor.
 *
 * @param face What it shows.
 * @param options Where it listens, and who may do what.
 * @param logger Is told who started a failover, and who wasn't allowed to.
 * @throws {WebError} if it can't listen there.
 */
export function startWeb(face: MonitorFace, options: WebOptions, logger: Logger): Promise<Web> {
  const site = new Site(face, options, logger);
  const hostname = bindAddress(options.hostname);
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({
      hostname,
      port: options.port,
      onListen: () => {},
      onError: (error) => site.failed(error),
    }, (request, { remoteAddr }) => site.answer(request, remoteAddr));
  } catch (error) {
    const reason = error instanceof Deno.errors.AddrInUse
      ? "Address already in use"
      : systemReason(error);
    const place = joinAddress(hostname, options.port);
    return Promise.reject(
      new WebError(`Could not serve the web page on ${place}: ${reason}`, { cause: error }),
    );
  }
  const { port } = server.addr;
  return Promise.resolve({
    port,
    url: `http://${joinAddress(hostname === "0.0.0.0" ? "127.0.0.1" : hostname, port)}/`,
    async stop() {
      site.close();
      await server.shutdown();
    },
  });
}

/** Answers requests. */
class Site {
  readonly #face: MonitorFace;
  readonly #options: WebOptions;
  readonly #logger: Logger;
  readonly #stream: StateStream<PageControls>;

  constructor(face: MonitorFace, options: WebOptions, logger: Logger) {
    this.#face = face;
    this.#options = options;
    this.#logger = logger;
    this.#stream = new StateStream(face, () => ({
      failover: options.token !== "",
      demo: options.demo?.nodes() ?? null,
    }));
  }

  /** Ends what would keep a connection open. */
  close(): void {
    this.#stream.close();
  }

  /** A fault of ours, which is told in the log and not to the client. */
  failed(error: unknown): Response {
    this.#logger.log("warning", `Web page: ${error instanceof Error ? error.stack : error}`);
    return text(500, "Internal error; the monitor's log says more.");
  }

  /** The answer to a request. */
  answer(request: Request, from: Deno.NetAddr): Answer {
    const problem = findHostProblem(request.headers.get("host"), this.#options.hostname);
    if (problem !== undefined) return text(421, problem);
    const { pathname } = new URL(request.url);
    const isPost = request.method === "POST";
    const handlers = isPost ? this.#postHandlers(from) : this.#getHandlers();
    const handler = handlers[pathname];
    if (handler === undefined) return this.#noHandler(pathname, isPost, from);
    if (!isPost && request.method !== "GET" && request.method !== "HEAD") {
      return text(405, "Only GET is answered here.", { allow: "GET, HEAD" });
    }
    return handler(request);
  }

  #getHandlers(): Record<string, ((request: Request) => Answer) | undefined> {
    return {
      "/metrics": () => reply(200, metricsOf(this.#face.state()), METRICS_TYPE),
      "/healthz": () => this.#health(),
      "/api/state": () => json(200, this.#face.state()),
      "/api/events": ({ method }) => this.#events(method),
    };
  }

  #postHandlers(from: Deno.NetAddr): Record<string, ((request: Request) => Answer) | undefined> {
    const demo = this.#options.demo;
    return {
      "/api/failover": (request) => this.#failover(request, from),
      "/api/demo/kill": demo && ((request) => this.#demo(request, (node) => demo.kill(node))),
      "/api/demo/start": demo && ((request) => this.#demo(request, (node) => demo.start(node))),
    };
  }

  #noHandler(pathname: string, isPost: boolean, from: Deno.NetAddr): Response {
    const asset = isPost ? undefined : ASSETS.get(pathname);
    if (asset !== undefined) return reply(200, asset.body, asset.type);
    const others = isPost ? this.#getHandlers() : this.#postHandlers(from);
    if (others[pathname] !== undefined || ASSETS.has(pathname)) {
      const allow = isPost ? "GET, HEAD" : "POST";
      return text(405, `Only ${isPost ? "GET" : "POST"} is answered here.`, { allow });
    }
    return text(404, "There is no such page.");
  }

  #health(): Response {
    const problems = findProblems(this.#face.state());
    return problems.length === 0 ? text(200, "ok") : text(503, problems.join("\n"));
  }

  #events(method: string): Response {
    if (method === "HEAD") return reply(200, "", "text/event-stream");
    const stream = this.#stream.open();
    if (stream === undefined) return text(503, "Too many pages are open.");
    return reply(200, stream, "text/event-stream");
  }

  async #failover(request: Request, from: Deno.NetAddr): Promise<Response> {
    const body = await readBody(request);
    if (body instanceof Response) return body;
    const { group, token } = body;
    if (typeof group !== "string") return refusal(400, "The group is missing.");
    if (this.#options.token === "") {
      return refusal(403, "No token is configured, so nobody can start a failover here.");
    }
    const who = joinAddress(from.hostname, from.port);
    if (typeof token !== "string" || !await isSameSecret(token, this.#options.token)) {
      this.#logger.log("warning", `Web page: a failover with a wrong token was refused (${who})`);
      return refusal(403, "That is not the token.");
    }
    const problem = this.#face.failover(group);
    this.#logger.log("notice", `Web page: failover of '${group}' (${who}): ${problem ?? "OK"}`);
    return problem === undefined ? json(200, { ok: true }) : refusal(409, problem);
  }

  async #demo(
    request: Request,
    act: (address: string) => string | undefined | Promise<string | undefined>,
  ): Promise<Response> {
    const body = await readBody(request);
    if (body instanceof Response) return body;
    const problem = typeof body.node === "string"
      ? await act(body.node)
      : "The node's address is missing.";
    this.#stream.refresh();
    return problem === undefined ? json(200, { ok: true }) : refusal(409, problem);
  }
}

/** The body of a request that changes something, or why it isn't listened to. */
async function readBody(request: Request): Promise<Record<string, unknown> | Response> {
  const forgery = findForgeryProblem(request.headers);
  if (forgery !== undefined) return refusal(403, forgery);
  const bytes = await readLimited(request);
  if (bytes === undefined) return refusal(413, "The body is too long.");
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof body === "object" && body !== null) return body as Record<string, unknown>;
  } catch {
    // Said below.
  }
  return refusal(400, "The body has to be an object in JSON.");
}

/** The whole body, or undefined if it is longer than any of ours. */
async function readLimited(request: Request): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(LONGEST_BODY_BYTES);
  let size = 0;
  for await (const piece of request.body ?? []) {
    if (size + piece.length > bytes.length) return undefined;
    bytes.set(piece, size);
    size += piece.length;
  }
  return bytes.subarray(0, size);
}

function reply(
  status: number,
  body: BodyInit,
  type: string,
  headers?: Record<string, string>,
): Response {
  return new Response(body, {
    status,
    headers: { ...COMMON_HEADERS, "content-type": type, ...headers },
  });
}

function text(status: number, message: string, headers?: Record<string, string>): Response {
  return reply(status, `${message}\n`, "text/plain; charset=utf-8", headers);
}

function json(status: number, value: unknown): Response {
  return reply(status, JSON.stringify(value), "application/json");
}

function refusal(status: number, error: string): Response {
  return json(status, { error });
}
