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
