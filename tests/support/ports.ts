/**
 * Ports for processes.
 *
 * @module
 */

/** A port of the loopback address that nobody listens on, as long as nobody takes it. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Redis' own tests take some of those before. */
const FIRST_LASTING_PORT = 30_200;
/** Linux gives ports from here on to connections that don't ask for one. */
const LASTING_PORT_LIMIT = 32_768;

/**
 * A port that stays free while a server is down that others know by it: none that the system gives to a connection by
 * itself.
 */
export function lastingPort(): number {
  while (true) {
    const range = LASTING_PORT_LIMIT - FIRST_LASTING_PORT;
    const port = FIRST_LASTING_PORT + Math.floor(Math.random() * range);
    try {
      using _listener = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
