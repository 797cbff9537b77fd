/**
 * What a connection is at, as far as the replies to the user's commands told: the database, the
 * protocol, whether it is within a transaction. A new connection starts elsewhere, and is brought
 * to where the user was.
 *
 * @module
 */

import type { Reply } from "../protocol/reply.ts";
import { latin1Text } from "./quoting.ts";

/** What a connection is at. */
export class ConnectionState {
  /** The database that the connection is in. */
  database = 0;
  /** The database that the user wants; selected again on each new connection. */
  wantedDatabase: number;
  /** Whether commands are queued until EXEC. */
  inTransaction = false;
  /** The protocol that new connections are switched to. */
  resp: 2 | 3 | undefined;
  /** The database before MULTI, which is the one again if the transaction isn't carried out. */
  #databaseBefore = 0;

  /** Makes the state of a connection that is still to come. */
  constructor(wantedDatabase: number, resp: 2 | 3 | undefined) {
    this.wantedDatabase = wantedDatabase;
    this.resp = resp;
  }

  /** There is no connection any more. */
  forget(): void {
    this.database = 0;
    this.inTransaction = false;
  }

  /**
   * Keeps up with what a command changed.
   *
   * @param command The command's name in small letters.
   * @param words The name and the arguments.
   * @param reply What the server answered.
   */
  follow(command: string, words: readonly Uint8Array[], reply: Reply): void {
    const failed = reply.kind === "error";
    switch (command) {
      case "exec":
        if (this.inTransaction) this.#endTransaction(!failed && reply.kind !== "null");
        return;
      case "discard":
        if (this.inTransaction && !failed) this.#endTransaction(false);
        return;
      case "multi":
        if (failed) return;
        this.inTransaction = true;
        this.#databaseBefore = this.database;
        return;
      case "select":
        if (failed || words.length !== 2) return;
        this.database = Number(latin1Text(words[1]));
        this.wantedDatabase = this.database;
        return;
      case "reset":
        if (failed) return;
        this.forget();
        this.wantedDatabase = 0;
        this.resp = undefined;
    }
  }

  #endTransaction(isCarriedOut: boolean): void {
    this.inTransaction = false;
    if (isCarriedOut) return;
    this.database = this.#databaseBefore;
    this.wantedDatabase = this.#databaseBefore;
  }
}
