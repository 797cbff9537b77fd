import { latin1Bytes } from "../../../src/client/quoting.ts";
import { plainValue } from "../../../src/protocol/reply.ts";
import { ReplyReader } from "../../../src/protocol/reply_reader.ts";
import { isEnd } from "../scripted_server.ts";

/** What a master answers to SYNC: pieces a character for each byte, and whether it then closes. */
export interface Transfer {
  /** What is sent, piece by piece. */
  readonly pieces: readonly string[];
  /** Whether the connection is closed behind them. */
  readonly closes?: boolean;
}

/** A master for tests, which agrees to everything until it is asked for its snapshot. */
export class ScriptedMaster implements AsyncDisposable {
  /** All commands that arrived. */
  readonly commands: string[] = [];
  /** What is answered in place of `+OK`, by command. */
  readonly answers: Record<string, string> = {};
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #transfer: Transfer;
  readonly #done: Promise<void>;
  #connection: Deno.TcpConn | undefined;

  /** Listens on a free port. */
  constructor(transfer: Transfer) {
    this.#transfer = transfer;
    this.#done = this.#serve();
  }

  /** Where it listens. */
  get port(): string {
    return String(this.#listener.addr.port);
  }

  /** Sends further bytes, if there is somebody. */
  async send(text: string): Promise<void> {
    await this.#connection?.write(latin1Bytes(text));
  }

  /** Closes the connection, if there is one. */
  drop(): void {
    this.#connection?.close();
    this.#connection = undefined;
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    this.drop();
    await this.#done;
  }

  async #serve(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#connection = connection;
      connection.setNoDelay(true);
      try {
        await this.#answer(connection);
      } catch (error) {
        if (!isEnd(error)) throw error;
      }
      this.drop();
    }
  }

  async #answer(connection: Deno.TcpConn): Promise<void> {
    const reader = new ReplyReader();
    const room = new Uint8Array(4096);
    for (;;) {
      const count = await connection.read(room);
      if (count === null) return;
      reader.push(room.subarray(0, count));
      for (let request = reader.next(); request !== undefined; request = reader.next()) {
        const command = (plainValue(request) as string[]).join(" ");
        this.commands.push(command);
        if (command.startsWith("REPLCONF ACK")) continue;
        const reply = this.answers[command] ?? "+OK\r\n";
        const isSync = command === "SYNC";
        await this.#sendApart(isSync ? this.#transfer.pieces : [reply.slice(0, 2), reply.slice(2)]);
        if (isSync && this.#transfer.closes) return;
      }
    }
  }

  /** Sends pieces so that they are pieces for the other side, too. */
  async #sendApart(pieces: readonly string[]): Promise<void> {
    for (const piece of pieces) {
      await this.send(piece);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}
