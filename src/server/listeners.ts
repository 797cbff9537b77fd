/**
 * Where clients come in: the addresses of the setting `bind`, the Unix socket, and the connections that
 * arrive there.
 *
 * @module
 */
import { type Files, pathFrom, systemReason } from "../runtime/files.ts";
import type { Logger } from "../runtime/logging.ts";
import type { Connection, SocketListener, Sockets } from "../runtime/sockets.ts";
import { closeQuietly } from "./session.ts";
import { type Settings, SettingsError } from "./settings.ts";

/** What the listeners need of their server. */
export interface ListenersHost {
  /** Settings. */
  readonly settings: Settings;
  /** Log. */
  readonly logger: Logger;
  /** Files. */
  readonly files: Files;
  /** Takes in a connection, or turns it away. */
  welcome(connection: Connection): void;
}

/** How long to wait after a connection could not be accepted. */
const ACCEPT_AGAIN_MS = 100;

/** What a client of another machine is told in protected mode. */
export const PROTECTED_MODE: string =
  "-DENIED miniredis is running in protected mode because protected mode is " +
  "enabled and no password is set for the default user. In this mode connections are only " +
  "accepted from the loopback interface. To serve other machines, set a password with " +
  "'requirepass', or turn protected mode off with '--protected-mode no'.\r\n";

/** A listener, and its taking in of connections. */
interface OpenListener {
  readonly socket: SocketListener;
  /** Whether what it still takes in is closed. */
  closing: boolean;
  /** Resolves once it holds its port no more. */
  closed: Promise<void>;
}

/** What can't be listened on, and why. */
class ListenError extends Error {}

/** The open ports of one server. */
export class Listeners {
  /** Port it listens on, chosen by the system if the setting is 0. */
  port = 0;
  private tcp: OpenListener[] = [];
  private unix: OpenListener | undefined;
  /** The setting `port` that it listens by. */
  private askedPort = 0;
  /** The addresses that it listens on. */
  private addresses = "";
  /** Settles when the last move has ended: there is one at a time. */
  private moving: Promise<void> = Promise.resolve();
  /** The server stops: nothing is opened any more. */
  private stopped = false;

  /** Makes listeners that don't listen yet. */
  constructor(private readonly host: ListenersHost, private readonly sockets: Sockets) {}

  /**
   * Listens on the addresses and the Unix socket of the settings. Where `port` is 0 and there is a Unix
   * socket, it is the only one; without, the system chooses a port (Redis would not start).
   *
   * @throws {SettingsError} if it can't; the log has the reason.
   */
  start(): void {
    const { settings } = this.host;
    const hasUnixSocket = settings.text("unixsocket") !== "";
    this.askedPort = settings.number("port");
    try {
      if (settings.number("port") > 0 || !hasUnixSocket) this.tcp = this.openAll();
    } catch (error) {
      if (!(error instanceof ListenError)) throw error;
      throw this.failed(`Failed listening on port ${this.port} (TCP), aborting.`);
    }
    if (hasUnixSocket) this.openUnix();
    if (this.tcp.length === 0 && !hasUnixSocket) {
      throw this.failed("Configured to not listen anywhere, exiting.");
    }
  }

  /**
   * Listens on the addresses of the settings instead of the present ones, if they differ.
   *
   * @throws {Error} if it can't: then it listens where it did.
   */
  move(): Promise<void> {
    const moved = this.moving.then(async () => {
      if (!this.stopped && this.isOutdated) await this.moveNow();
    });
    this.moving = moved.catch(() => {});
    return moved;
  }

  /** Whether the settings ask for other addresses than it listens on. */
  private get isOutdated(): boolean {
    const { settings } = this.host;
    return settings.text("bind") !== this.addresses || settings.number("port") !== this.askedPort;
  }

  /** Listens elsewhere; see {@linkcode move}. */
  private async moveNow(): Promise<void> {
    const { port, addresses, askedPort, host: { settings } } = this;
    const before = this.tcp;
    const keepsPort = settings.number("port") === askedPort;
    // Two listeners can't have a port at once, be it on different addresses: `*` takes them all.
    if (keepsPort) await close(before);
    if (this.stopped) return;
    try {
      this.askedPort = settings.number("port");
      // Port 0 is none here: what listens only on its Unix socket goes on with that alone.
      const wanted = keepsPort ? port : this.askedPort;
      this.tcp = wanted === 0 ? [] : this.openAll(wanted);
      if (this.tcp.length === 0) this.port = 0;
    } catch (error) {
      this.tcp = keepsPort && port > 0 ? this.openAll(port, addresses) : before;
      Object.assign(this, { port, addresses, askedPort });
      throw error;
    }
    if (!keepsPort) await close(before);
  }

  /** Stops listening; connections that still arrive are closed. */
  close(): void {
    this.stopped = true;
    for (const listener of this.all) beginClose(listener);
    if (this.unix === undefined) return;
    this.host.logger.log("notice", "Removing the unix socket file.");
    this.removeUnixFile();
  }

  /** Resolves once no listener holds its port any more. */
  async closed(): Promise<void> {
    await Promise.all(this.all.map((listener) => listener.closed));
  }

  /** All listeners. */
  private get all(): OpenListener[] {
    return this.unix === undefined ? this.tcp : [...this.tcp, this.unix];
  }

  /** Listens on all addresses of `bind`, or on none. */
  private openAll(
    port: number = this.host.settings.number("port"),
    bind: string = this.host.settings.text("bind"),
  ): OpenListener[] {
    this.port = port;
    this.addresses = bind;
    const names = bind.split(" ").filter(Boolean);
    const opened: OpenListener[] = [];
    try {
      for (const address of names) {
        const listener = this.open(address, names);
        if (listener !== undefined) opened.push(listener);
      }
      if (names.length > 0 && opened.length === 0) throw new ListenError();
      return opened;
    } catch (error) {
      for (const listener of opened) beginClose(listener);
      throw error;
    }
  }

  /** Listens on one of the addresses of the setting `bind`; undefined if it may be missing. */
  private open(address: string, all: readonly string[]): OpenListener | undefined {
    const optional = address.startsWith("-");
    const name = optional ? address.slice(1) : address;
    // `::` takes IPv4 as well, and both can't be bound: all addresses of both kinds are one listener.
    if (isAnyIPv4(name) && all.some(isAnyIPv6)) return undefined;
    const hostname = name === "::*" ? "::" : name === "*" ? "0.0.0.0" : name;
    try {
      return this.listen(hostname);
    } catch (error) {
      const inUse = error instanceof Deno.errors.AddrInUse;
      if (isAnyIPv6(name) && all.some(isAnyIPv4) && !inUse) {
        // A machine without IPv6.
        return this.listen("0.0.0.0");
      }
      const shown = hostname === "::" || hostname === "0.0.0.0" ? "*" : hostname;
      this.host.logger.log(
        "warning",
        `Warning: Could not create server TCP listening socket ${shown}:${this.port}: ` +
          `bind: ${systemReason(error)}`,
      );
      if (optional && !inUse) return undefined;
      throw new ListenError();
    }
  }

  /** Listens on one address. */
  private listen(hostname: string): OpenListener {
    const { settings } = this.host;
    const keepsAlive = () => settings.number("tcp-keepalive") > 0;
    const socket = this.sockets.listen(hostname, this.port, keepsAlive);
    this.port = socket.port;
    return this.take(socket);
  }

  /** Listens on the Unix socket. */
  private openUnix(): void {
    const { settings, files } = this.host;
    this.removeUnixFile();
    try {
      this.unix = this.take(this.sockets.listenUnix(this.unixPath));
      const mode = parseInt(settings.text("unixsocketperm"), 8);
      if (mode !== 0) files.setPermissions(this.unixPath, mode);
    } catch (error) {
      throw this.failed(`Failed opening Unix socket: bind: ${systemReason(error)}`);
    }
  }

  /** Where the Unix socket is. */
  private get unixPath(): string {
    const { settings } = this.host;
    return pathFrom(settings.text("dir"), settings.text("unixsocket"));
  }

  /** Removes the file of the Unix socket. */
  private removeUnixFile(): void {
    try {
      this.host.files.remove(this.unixPath);
    } catch {
      // It isn't there, or is in the way of the socket, which will say so.
    }
  }

  /** Takes in the connections of a socket. */
  private take(socket: SocketListener): OpenListener {
    const listener: OpenListener = { socket, closing: false, closed: Promise.resolve() };
    listener.closed = this.accept(listener);
    return listener;
  }

  /** Takes in connections, one after the other, until the listener is closed. */
  private async accept(listener: OpenListener): Promise<void> {
    for (;;) {
      try {
        const connection = await listener.socket.accept();
        if (listener.closing) closeQuietly(connection);
        else this.host.welcome(connection);
      } catch (error) {
        if (listener.closing) return;
        this.host.logger.log(
          "warning",
          `Accepting client connection: ${(error as Error).message}`,
        );
        // Too many open files, say: the listener is still good once some are closed.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  }

  /** Logs why it can't listen. */
  private failed(message: string): SettingsError {
    this.host.logger.log("warning", message);
    for (const listener of this.all) beginClose(listener);
    return new SettingsError(message);
  }
}

function beginClose(listener: OpenListener): void {
  listener.closing = true;
  listener.socket.close();
}

async function close(listeners: readonly OpenListener[]): Promise<void> {
  for (const listener of listeners) beginClose(listener);
  await Promise.all(listeners.map(({ closed }) => closed));
}

/** Says one thing to a client, and closes. */
export function turnAway(connection: Connection, text: string): void {
  connection.write(new TextEncoder().encode(text)).then(
    () => closeQuietly(connection),
    () => closeQuietly(connection),
  );
}

/** Whether an address of the setting `bind` is every IPv4 address of this machine. */
function isAnyIPv4(address: string): boolean {
  return /^-?(\*|0\.0\.0\.0)$/.test(address);
}

/** Whether an address of the setting `bind` is every IPv6 address of this machine. */
function isAnyIPv6(address: string): boolean {
  return /^-?::\*?$/.test(address);
}
