/**
 * The signals that ask a program to end, which have other names on each system.
 *
 * @module
 */
import { type OperatingSystem, operatingSystem } from "./operating_system.ts";

/** What a program does about signals. */
export interface SignalPlan {
  /** Called for each signal that asks for the end, as often as it comes. */
  readonly onEnd: (signal: Deno.Signal) => void;
  /** Further signals that ask for the end, on systems that have them. @default none */
  readonly alsoEnding?: readonly Deno.Signal[];
  /** Whether it goes on when its terminal is closed, where the system lets it; else that asks for the end. */
  readonly outlivesTerminal: boolean;
}

/** Where signals come from. */
export interface SignalSource {
  /** Calls `listener` for each signal of the name from now on. */
  add(signal: Deno.Signal, listener: () => void): void;
  /** Ends that. */
  remove(signal: Deno.Signal, listener: () => void): void;
}

/** The signals that this process gets. */
export const systemSignals: SignalSource = {
  add: (signal, listener) => Deno.addSignalListener(signal, listener),
  remove: (signal, listener) => Deno.removeSignalListener(signal, listener),
};

/**
 * Listens to the signals that ask for the end.
 *
 * ```ts
 * import { listenForSignals } from "./signals.ts";
 * const forget = listenForSignals({ onEnd: () => Deno.exit(0), outlivesTerminal: false });
 * forget();
 * ```
 *
 * @param plan What is done about them.
 * @param system The system, whose signals they are.
 * @param source Where they come from.
 * @returns What ends the listening.
 */
export function listenForSignals(
  plan: SignalPlan,
  system: OperatingSystem = operatingSystem,
  source: SignalSource = systemSignals,
): () => void {
  const further = [...plan.alsoEnding ?? [], "SIGHUP" as const]
    .filter((signal) => system.otherSignals.has(signal));
  const goesOn = plan.outlivesTerminal && system.letsOutliveTerminal;
  const listeners = [...system.endingSignals, ...further].map((signal) =>
    [signal, signal === "SIGHUP" && goesOn ? () => {} : () => plan.onEnd(signal)] as const
  );
  return addListeners(listeners, source);
}

/**
 * Listens to those of the signals that the runtime tells of; on Windows, that depends on its version.
 *
 * @param listeners What is called for which signal.
 * @param source Where they come from.
 * @returns What ends the listening.
 */
export function addListeners(
  listeners: Iterable<readonly [Deno.Signal, () => void]>,
  source: SignalSource,
): () => void {
  const added = new Map<Deno.Signal, () => void>();
  for (const [signal, listener] of listeners) {
    try {
      source.add(signal, listener);
      added.set(signal, listener);
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
    }
  }
  return () => {
    for (const [signal, listener] of added) source.remove(signal, listener);
  };
}
