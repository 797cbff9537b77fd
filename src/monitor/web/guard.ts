/**
 * Who may ask, and who may change something: what a browser could be made to send on behalf of a
 * page of somebody else is turned away.
 *
 * @module
 */

import { isLoopback } from "../../runtime/addresses.ts";

/**
 * The header that a request that changes something has to carry. A page of another origin can't add
 * it without asking first (CORS), and nobody here would say yes.
 */
export const INTENT_HEADER = "x-miniredis-monitor";

/** An address for `Deno.serve`: without brackets, and `*` as all of IPv4. */
export function bindAddress(hostname: string): string {
  if (hostname === "*" || hostname === "") return "0.0.0.0";
  return hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
}

/**
 * Looks at the Host header where only this machine can connect: a name that isn't this machine's is
 * the sign of a page whose name was pointed here after it had been loaded (DNS rebinding).
 * Where others can connect, any name may be ours.
 *
 * @param host The header's value, or null without one.
 * @param boundTo The address that the page is served on.
 * @returns What is wrong, or undefined.
 */
export function findHostProblem(host: string | null, boundTo: string): string | undefined {
  if (!isOwnMachine(boundTo)) return undefined;
  const name = host === null ? undefined : nameOf(`http://${host}`);
  if (name !== undefined && (isOwnMachine(name) || name === boundTo)) return undefined;
  return "The Host header names another machine. This page is served to this machine alone.";
}

/**
 * Looks whether a request that changes something was meant by a page of ours, or by a program.
 *
 * @returns What is wrong, or undefined.
 */
export function findForgeryProblem(headers: Headers): string | undefined {
  if (!headers.has(INTENT_HEADER)) return `The header ${INTENT_HEADER} is missing.`;
  const origin = headers.get("origin");
  if (origin !== null && hostOf(origin) !== headers.get("host")?.toLowerCase()) {
    return "The request comes from a page of another origin.";
  }
  const site = headers.get("sec-fetch-site");
  if (site !== null && site !== "same-origin" && site !== "none") {
    return "The request comes from a page of another site.";
  }
  const type = headers.get("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) return "The body has to be application/json.";
  return undefined;
}

/**
 * Compares secrets in a time that doesn't tell how much of them is alike: it looks at each byte of
 * their hashes.
 */
export async function isSameSecret(given: string, expected: string): Promise<boolean> {
  const [left, right] = await Promise.all([hashOf(given), hashOf(expected)]);
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= left[index] ^ right[index];
  return difference === 0;
}

async function hashOf(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** Whether a name or an address is this machine's; `127.0.0.1.evil.example` is a name, and is not. */
function isOwnMachine(hostname: string): boolean {
  if (hostname === "localhost" || hostname.endsWith(".localhost")) return true;
  return /^[\d.]+$|:/.test(hostname) && isLoopback(hostname);
}

function nameOf(url: string): string | undefined {
  const name = URL.parse(url)?.hostname;
  return name?.startsWith("[") ? name.slice(1, -1) : name;
}

/** The host and the port of an origin; `null`, which sandboxed pages send, has none. */
function hostOf(origin: string): string | undefined {
  return URL.parse(origin)?.host;
}
