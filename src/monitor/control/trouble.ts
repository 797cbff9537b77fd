/**
 * What is wrong with a group, in sentences for people.
 *
 * @module
 */
import { joinAddress } from "../../runtime/addresses.ts";
import type { ControlContext } from "./context.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Group } from "./group.ts";

/** What is said about a failover that can't go on. */
export const FAILOVER_TROUBLE = "failover";

/** Notes what somebody said who refuses us, or that he doesn't any more. */
export function learnRefusal(endpoint: Endpoint, error: string | undefined): void {
  if (error === undefined) {
    endpoint.refusal = "";
    return;
  }
  if (/^(NOAUTH|WRONGPASS|NOPERM|ERR (invalid password|AUTH|Client sent AUTH))/.test(error)) {
    endpoint.refusal = error;
  }
}

/** Says that something is wrong, once in the log for as long as it is the same. */
export function setTrouble(
  context: ControlContext,
  group: Group,
  about: string,
  text: string,
): void {
  if (group.troubles.get(about) === text) return;
  group.troubles.set(about, text);
  context.log("warning", `${group.name}: ${text}`);
}

/** Something isn't wrong any more. */
export function clearTrouble(group: Group, about: string): void {
  group.troubles.delete(about);
}

/** Keeps what is said of those who refuse us. */
export function watchRefusals(context: ControlContext, group: Group): void {
  for (const endpoint of [...group.nodes(), ...group.peers.values()]) {
    const about = `refusal ${endpoint.key}`;
    if (endpoint.refusal === "") clearTrouble(group, about);
    else {
      const address = joinAddress(endpoint.host, endpoint.port);
      setTrouble(context, group, about, `${address} refuses the monitor: ${endpoint.refusal}`);
    }
  }
}
