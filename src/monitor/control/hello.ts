/**
 * Hello messages, by which sentinels find each other and pass on who is the master. They are published on the nodes and
 * sent to the sentinels that are known:
 * `ip,port,run id,current epoch,master name,master ip,master port,configuration epoch`.
 *
 * @module
 */

/** The channel for hello messages. */
export const HELLO_CHANNEL = "__sentinel__:hello";

/** What a hello message says. */
export interface Hello {
  /** Who says it. */
  readonly host: string;
  /** Its port. */
  readonly port: number;
  /** Its id. */
  readonly runId: string;
  /** The newest epoch that it knows. */
  readonly currentEpoch: number;
  /** The group, */
  readonly group: string;
  /** and who is its master by the configuration of this epoch. */
  readonly masterHost: string;
  /** The master's port. */
  readonly masterPort: number;
  /** The epoch of that configuration. */
  readonly configEpoch: number;
}

/** A hello message as text. */
export function formatHello(hello: Hello): string {
  return [
    hello.host,
    hello.port,
    hello.runId,
    hello.currentEpoch,
    hello.group,
    hello.masterHost,
    hello.masterPort,
    hello.configEpoch,
  ].join(",");
}

/** Reads a hello message; undefined if it is none. */
export function parseHello(text: string): Hello | undefined {
  const parts = text.split(",");
  if (parts.length !== 8) return undefined;
  const [host, port, runId, currentEpoch, group, masterHost, masterPort, configEpoch] = parts;
  const hello: Hello = {
    host,
    port: Number(port),
    runId,
    currentEpoch: Number(currentEpoch),
    group,
    masterHost,
    masterPort: Number(masterPort),
    configEpoch: Number(configEpoch),
  };
  const sound = isPort(hello.port) && isPort(hello.masterPort) && isEpoch(hello.currentEpoch) &&
    isEpoch(hello.configEpoch) && host !== "" && runId !== "" && masterHost !== "";
  return sound ? hello : undefined;
}

/** Whether a number is a TCP port. */
export function isPort(value: number): boolean {
  return Number.isInteger(value) && value > 0 && value < 65536;
}

function isEpoch(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
