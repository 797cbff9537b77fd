/**
 * Readers of the settings with a grammar of their own: addresses of nodes, weights, ports that may be off.
 *
 * @module
 */
import { joinAddress, splitAddress } from "../../runtime/addresses.ts";
import { oneWord, parseInteger, type Setting, SettingsError } from "../../runtime/setting.ts";
import type { NodeAddress } from "../routing.ts";

const HIGHEST_PORT = 65535;
const HIGHEST_WEIGHT = 1000;

/** The word for a port that nothing listens on. */
export const OFF = "off";

/** A TCP port that is off unless it is given. */
export function portOrOff(name: string, summary: string): Setting {
  const read = ([word]: readonly string[]): string => {
    if (word.toLowerCase() === OFF) return OFF;
    const port = parseInteger(word);
    if (port === undefined) {
      throw new SettingsError("argument couldn't be parsed into an integer");
    }
    if (port < 0n || port > BigInt(HIGHEST_PORT)) {
      throw new SettingsError(`argument must be between 0 and ${HIGHEST_PORT} inclusive`);
    }
    return String(port);
  };
  return oneWord(name, OFF, "port", summary, read);
}

/**
 * The address that a text `host:port` names; an address of IPv6 stands in brackets.
 *
 * @throws {SettingsError} if it names none.
 */
export function readNode(text: string): NodeAddress {
  const { host, port } = splitAddress(text);
  const isWhole = /^(\[[^\]]+\]|[^:[\]\s]+):[0-9]{1,5}$/.test(text);
  if (!isWhole || port < 1 || port > HIGHEST_PORT) {
    throw new SettingsError(`'${text}' is no address of a node: there must be host:port`);
  }
  return { host, port };
}

/** The addresses of a list that is separated by commas or spaces, each once. */
export function parseNodes(text: string): NodeAddress[] {
  const nodes = new Map<string, NodeAddress>();
  for (const part of text.split(/[\s,]+/)) {
    if (part === "") continue;
    const node = readNode(part);
    nodes.set(joinAddress(node.host, node.port), node);
  }
  return [...nodes.values()];
}

/** `nodes`: at least one address. */
export function readNodes(words: readonly string[]): string {
  const nodes = parseNodes(words.join(","));
  if (nodes.length === 0) throw new SettingsError("there must be at least one host:port");
  return nodes.map(({ host, port }) => joinAddress(host, port)).join(",");
}

/** The weights of a list such as `127.0.0.1:6381=2,127.0.0.1:6382=0`, by address. */
export function parseWeights(text: string): Map<string, number> {
  const weights = new Map<string, number>();
  for (const part of text.split(/[\s,]+/)) {
    if (part === "") continue;
    const match = /^(?<address>.*)=(?<weight>[0-9]{1,4})$/.exec(part)?.groups;
    const weight = Number(match?.weight);
    if (match === undefined || weight > HIGHEST_WEIGHT) {
      throw new SettingsError(
        `'${part}' is no weight: there must be host:port=n, n of 0 to ${HIGHEST_WEIGHT}`,
      );
    }
    const { host, port } = readNode(match.address);
    weights.set(joinAddress(host, port), weight);
  }
  return weights;
}

/** `weights`: in the spelling of {@linkcode parseWeights}. */
export function readWeights(words: readonly string[]): string {
  return [...parseWeights(words.join(","))].map(([node, weight]) => `${node}=${weight}`).join(",");
}

/** `bind`: addresses; an empty word is no address at all. */
export function readAddresses(words: readonly string[]): string {
  if (words.length > 16) throw new SettingsError("Too many bind addresses specified.");
  return words.filter((word) => word !== "").join(" ");
}

/** `name`: what Sentinel takes as the name of a group. */
export function readGroupName([word]: readonly string[]): string {
  if (/^[A-Za-z0-9._-]+$/.test(word)) return word;
  throw new SettingsError("a group's name has letters, digits, and '.', '-', '_'");
}

/** Whether a host is an address, and not a name that has to be looked up. */
export function isIpAddress(host: string): boolean {
  const octets = host.split(".");
  const isOctet = (text: string) => /^[0-9]{1,3}$/.test(text) && Number(text) <= 255;
  return (octets.length === 4 && octets.every(isOctet)) ||
    /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(host);
}
