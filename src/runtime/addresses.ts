/**
 * Addresses of connections, as text: `host:port`, with the host of an IPv6 address in brackets.
 *
 * @module
 */

/** An address as text; one of IPv4 that came through an IPv6 socket is shown as clients know it. */
export function joinAddress(hostname: string, port: number): string {
  const host = plainHost(hostname);
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** The host and the port of an address, where the host may be in brackets. */
export function splitAddress(address: string): { readonly host: string; readonly port: number } {
  const colon = address.lastIndexOf(":");
  const host = address.slice(0, colon);
  return {
    host: host.startsWith("[") ? host.slice(1, -1) : host,
    port: Number(address.slice(colon + 1)),
  };
}

/** Whether an address is one of this machine's loopback. */
export function isLoopback(hostname: string): boolean {
  const host = plainHost(hostname);
  return host.startsWith("127.") || host === "::1";
}

function plainHost(hostname: string): string {
  return hostname.startsWith("::ffff:") ? hostname.slice(7) : hostname;
}
