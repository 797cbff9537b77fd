/**
 * Where clients come in: the addresses of the setting `bind`, and the connections that arrive there.
 *
 * @module
 */
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

/** The open ports of one server. */
export class Listeners {
  /** Port it listens on, chosen by the system if the setting is 0. */
  port = 0;
  private readonly open: SocketListener[] = [];
  /** Settle once no listener holds its port any more. */
  private readonly accepting: Promise<void>[] = [];
  private stopping = false;

  /** Makes listeners that don't listen yet. */
  constructor(private readonly host: ListenersHost, private readonly sockets: Sockets) {}

  /**
   * Listens on the addresses of the settings.
   *
   * @throws {SettingsError} if it can't.
   */
  start(): void {
    const { settings } = this.host;
    this.port = settings.number("port");
    for (const address of settings.text("bind").split(/\s+/).filter(Boolean)) {
      this.listen(address);
    }
    if (this.open.length === 0) {
      throw new SettingsError("Failed listening on port " + this.port + " (TCP), aborting.");
    }
  }

  /** Stops listening; connections that still arrive are closed. */
  close(): void {
    this.stopping = true;
    for (const listener of this.open) listener.close();
  }

  /** Resolves once no listener holds its port any more. */
  async closed(): Promise<void> {
    await Promise.all(this.accepting);
  }

  /** Listens on an address of the setting `bind`. */
  private listen(address: string): void {
    const optional = address.startsWith("-");
    const name = optional ? address.slice(1) : address;
    // `::` takes IPv4 as well, and both can't be bound: the two defaults are one listener.
    if (name === "*" && this.host.settings.text("bind").includes("::*")) return;
    const hostname = name === "::*" ? "::" : name === "*" ? "0.0.0.0" : name;
    try {
      this.add(this.sockets.listen(hostname, this.port));
    } catch (error) {
      if (hostname === "::" && !(error instanceof Deno.errors.AddrInUse)) {
        // A machine without IPv6.
        return this.add(this.sockets.listen("0.0.0.0", this.port));
      }
      const shown = hostname === "::" ? "*" : hostname;
      const message = `Could not create server TCP listening socket ${shown}:${this.port}: ` +
        bindReason(error);
      this.host.logger.log("warning", message);
      if (!optional || error instanceof Deno.errors.AddrInUse) {
        throw new SettingsError(message);
      }
    }
  }

  /** Keeps an open listener and takes in its connections. */
  private add(listener: SocketListener): void {
    this.port = listener.port;
    this.open.push(listener);
    this.accepting.push(this.accept(listener));
  }

  /** Takes in connections, one after the other, until the listener is closed. */
  private async accept(listener: SocketListener): Promise<void> {
    for (;;) {
      try {
        const connection = await listener.accept();
        if (this.stopping) closeQuietly(connection);
        else this.host.welcome(connection);
      } catch (error) {
        if (this.stopping) return;
        this.host.logger.log(
          "warning",
          `Accepting client connection: ${(error as Error).message}`,
        );
        // Too many open files, say: the listener is still good once some are closed.
        await new Promise((resolve) => setTimeout(resolve, ACCEPT_AGAIN_MS));
      }
    }
  }
}

/** Says one thing to a client, and closes. */
export function turnAway(connection: Connection, text: string): void {
  connection.write(new TextEncoder().encode(text)).then(
    () => closeQuietly(connection),
    () => closeQuietly(connection),
  );
}

function bindReason(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "bind: Address already in use";
  return `bind: ${(error as Error).message}`;
}
