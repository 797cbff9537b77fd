/**
 * Sockets, as a server uses them; a simulated network can take their place.
 *
 * @module
 */
import { isLoopback, joinAddress } from "./addresses.ts";
import { connectFrom } from "./bound_socket.ts";
import { operatingSystem } from "./operating_system.ts";

/** A connection in both directions. */
export interface Connection {
  /** Reads into `bytes`; the number of bytes read, or null at the end. */
  read(bytes: Uint8Array): Promise<number | null>;
  /** Writes from `bytes`, which must not change meanwhile; the number of bytes written. */
  write(bytes: Uint8Array): Promise<number>;
  /** Closes it; pending reads and writes are rejected. */
  close(): void;
  /** The peer's address, `host:port`. */
  readonly remote: string;
  /** Our address, `host:port`. */
  readonly local: string;
  /** Whether the peer is on this machine. */
  readonly fromLoopback: boolean;
}

/** Where connections come in. */
export interface SocketListener {
  /** The next connection; rejects once the listener is closed. */
  accept(): Promise<Connection>;
  /** Stops listening. */
  close(): void;
  /** The port, chosen by the system if 0 was asked for. */
  readonly port: number;
}

/** Opens listeners and connections. */
export interface Sockets {
  /**
   * Connects by TCP to a name or an address.
   *
   * @param source The address of this machine to connect from, if that can be done. @default the system's choice
   * @throws {Error} as the system says why it can't.
   */
  connect(hostname: string, port: number, source?: string): Promise<Connection>;
  /**
   * Listens on TCP.
   *
   * @param keepsAlive Whether connections that come in are probed when they are idle.
   * @throws {Deno.errors.AddrInUse} and other errors of the system.
   */
  listen(hostname: string, port: number, keepsAlive: () => boolean): SocketListener;
  /**
   * Listens on a Unix socket, whose file must not be there.
   *
   * @throws {Deno.errors.AddrInUse} and other errors of the system.
   */
  listenUnix(path: string): SocketListener;
}

/** A TCP connection of Deno. */
class TcpConnection implements Connection {
  private readonly connection: Deno.TcpConn;

  constructor(connection: Deno.TcpConn) {
    this.connection = connection;
  }

  read(bytes: Uint8Array): Promise<number | null> {
    return this.connection.read(bytes);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.connection.write(bytes);
  }

  close(): void {
    this.connection.close();
  }

  get remote(): string {
    return textOf(this.connection.remoteAddr);
  }

  get local(): string {
    return textOf(this.connection.localAddr);
  }

  get fromLoopback(): boolean {
    return isLoopback(this.connection.remoteAddr.hostname);
  }
}

/** A connection through a Unix socket; both ends go by the path of the socket, as in Redis. */
class UnixConnection implements Connection {
  readonly remote: string;
  readonly local: string;
  readonly fromLoopback = true;

  constructor(private readonly connection: Deno.UnixConn, path: string) {
    this.remote = this.local = `${path}:0`;
  }

  read(bytes: Uint8Array): Promise<number | null> {
    return this.connection.read(bytes);
  }

  write(bytes: Uint8Array): Promise<number> {
    return this.connection.write(bytes);
  }

  close(): void {
    this.connection.close();
  }
}

function textOf({ hostname, port }: Deno.NetAddr): string {
  return joinAddress(hostname, port);
}

/** The sockets of the machine. */
export const systemSockets: Sockets = {
  async connect(hostname: string, port: number, source = ""): Promise<Connection> {
    const bound = source === "" ? null : await connectFrom(source, hostname, port);
    if (bound !== null) return bound;
    const connection = await Deno.connect({ hostname, port });
    connection.setNoDelay(true);
    connection.setKeepAlive(true);
    return new TcpConnection(connection);
  },
  listen(hostname: string, port: number, keepsAlive: () => boolean): SocketListener {
    const listener = Deno.listen({ hostname, port });
    return {
      port: listener.addr.port,
      close: () => listener.close(),
      accept: async () => {
        const connection = await listener.accept();
        // Replies of several writes must not wait for the peer's acknowledgement.
        connection.setNoDelay(true);
        if (keepsAlive()) connection.setKeepAlive(true);
        return new TcpConnection(connection);
      },
    };
  },
  listenUnix(path: string): SocketListener {
    if (!operatingSystem.hasUnixSockets) {
      throw new Deno.errors.NotSupported(`There are no Unix sockets on ${operatingSystem.name}`);
    }
    const listener = Deno.listen({ transport: "unix", path });
    return {
      port: 0,
      close: () => listener.close(),
      accept: async () => new UnixConnection(await listener.accept(), path),
    };
  },
};
