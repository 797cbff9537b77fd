/**
 * Carries out what the control machine wants of the network: connections, commands, answers.
 *
 * A link is a number that the machine has chosen. Whatever happens to it is told as an event; after `closed`, and after a
 * link was closed on the machine's own wish, nothing is heard of it any more.
 *
 * @module
 */
import { lookup } from "node:dns/promises";
import { Client } from "../../client/client.ts";
import { describeConnectFailure } from "../../client/errors.ts";
import { plainValue, type Reply, textOf } from "../../protocol/reply.ts";
import { splitAddress } from "../../runtime/addresses.ts";
import type { Connection } from "../../runtime/sockets.ts";
import type { ControlAction, ControlEvent } from "../control/actions.ts";
import type { MonitorEnvironment } from "../environment.ts";

/** No node has reason to answer more at once; INFO is the longest. */
const LIMITS = { maxBulkBytes: 16 << 20, maxItems: 1 << 20 };

/** A link that is being opened, or stands. */
interface OpenLink {
  client: Client | null;
  closed: boolean;
}

/** See the head of this file. */
export class Links {
  readonly #links = new Map<number, OpenLink>();

  /** Makes connections with the sockets of `environment`, and tells `report` what happens. */
  constructor(
    private readonly environment: MonitorEnvironment,
    private readonly report: (event: ControlEvent) => void,
  ) {}

  /** How many links are open, or being opened. */
  get size(): number {
    return this.#links.size;
  }

  /** Opens a link. */
  open({ link, host, port, timeoutMs }: ControlAction & { type: "open" }): void {
    const entry: OpenLink = { client: null, closed: false };
    this.#links.set(link, entry);
    const timer = setTimeout(() => this.#lost(link, entry, "Connection timed out"), timeoutMs);
    this.environment.sockets.connect(host, port).then((connection) => {
      clearTimeout(timer);
      if (entry.closed) connection.close();
      else this.#opened(link, entry, connection);
    }, (error) => {
      clearTimeout(timer);
      this.#lost(link, entry, describeConnectFailure(error));
    });
  }

  /** Sends a command on an open link. */
  send({ link, tag, command }: ControlAction & { type: "send" }): void {
    const entry = this.#links.get(link);
    if (entry === undefined || entry.client === null) return;
    const [name, ...args] = command;
    entry.client.send(name, ...args).then((reply) => {
      if (!entry.closed) this.report({ type: "reply", link, tag, reply: plainValue(reply) });
    }, () => {
      // The end of the connection is told for all commands at once.
    });
  }

  /** Sends a command that has no answer, on an open link. */
  post({ link, command }: ControlAction & { type: "post" }): void {
    const client = this.#links.get(link)?.client;
    if (client?.isOpen === true) client.post(command[0], ...command.slice(1));
  }

  /** Closes a link, and tells nobody. */
  close(link: number): void {
    const entry = this.#links.get(link);
    if (entry === undefined) return;
    this.#links.delete(link);
    entry.closed = true;
    entry.client?.close();
  }

  /** Closes all. */
  closeAll(): void {
    for (const link of [...this.#links.keys()]) this.close(link);
  }

  /** Finds out what a name stands for, and tells it. */
  resolve(host: string): void {
    this.lookup(host).then(
      (ip) => this.report({ type: "resolved", host, ip }),
      () => this.report({ type: "resolved", host, ip: null }),
    );
  }

  /** What a name stands for; rejects if nobody knows. */
  lookup(host: string): Promise<string> {
    return this.environment.lookup?.(host) ?? lookup(host).then(({ address }) => address);
  }

  #opened(link: number, entry: OpenLink, connection: Connection): void {
    const client = new Client(connection, { limits: LIMITS });
    entry.client = client;
    client.onPush = (message) => {
      const text = payloadOf(message);
      if (text !== undefined && !entry.closed) this.report({ type: "message", link, text });
    };
    client.closed.then((reason) => this.#lost(link, entry, reason.message));
    const local = splitAddress(connection.local).host;
    const remote = splitAddress(connection.remote).host;
    this.report({ type: "opened", link, local, remote });
  }

  #lost(link: number, entry: OpenLink, reason: string): void {
    if (entry.closed) return;
    this.close(link);
    this.report({ type: "closed", link, reason });
  }
}

/** The text of a message of a channel; undefined for confirmations. */
function payloadOf(message: Reply): string | undefined {
  if (message.kind !== "push" || message.items.length < 3) return undefined;
  return textOf(message.items[0]) === "message" ? textOf(message.items[2]) : undefined;
}
