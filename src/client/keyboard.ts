/**
 * The keyboard of the terminal that the program was started from, key by key.
 *
 * @module
 */

import { type OperatingSystem, operatingSystem } from "../runtime/operating_system.ts";
import { addListeners, type SignalSource, systemSignals } from "../runtime/signals.ts";

/** The keys of a terminal, each as it is pressed; nothing shows them by itself. */
export interface Keyboard {
  /**
   * What was typed, as bytes that stay as they are until the next call; `null` when the terminal is
   * gone. Ctrl-C comes as an interrupt or, where keys send no signals, as the byte 3.
   */
  read(): Promise<Uint8Array | null>;
  /** Gives it back: lines come as a whole again. */
  close(): void;
}

/**
 * Why a screen is drawn anew: the window has another size, or the program was stopped for a while
 * and others wrote on the screen.
 */
export type RedrawReason = "resized" | "continued";

/** What is needed of the standard input. */
export type KeyInput = Pick<typeof Deno.stdin, "read" | "setRaw">;

/** How much of what is typed or pasted is read at once. */
const KEYBOARD_BYTES = 64 << 10;

/**
 * Takes over the keyboard.
 *
 * @param input Where the keys come from.
 * @param system Tells whether keys send signals.
 */
export function openSystemKeyboard(
  input: KeyInput = Deno.stdin,
  system: OperatingSystem = operatingSystem,
): Keyboard {
  takeKeys(input, system);
  const buffer = new Uint8Array(KEYBOARD_BYTES);
  return {
    async read() {
      try {
        const length = await input.read(buffer);
        return length === null ? null : buffer.subarray(0, length);
      } catch {
        // The window was closed.
        return null;
      }
    },
    close() {
      try {
        input.setRaw(false);
      } catch {
        // Likewise: there is nothing to give back.
      }
    },
  };
}

/**
 * Calls `handler` when the window has changed, or the program goes on after it was stopped.
 *
 * @param handler Draws the screen anew.
 * @param input The keyboard, which is taken over again then.
 * @param system Tells what programs learn of.
 * @param source Where signals come from.
 * @returns What ends it.
 */
export function onSystemRedraw(
  handler: (reason: RedrawReason) => void,
  input: KeyInput = Deno.stdin,
  system: OperatingSystem = operatingSystem,
  source: SignalSource = systemSignals,
): () => void {
  const listeners = new Map<Deno.Signal, () => void>([["SIGWINCH", () => handler("resized")]]);
  if (system.hasJobControl) {
    listeners.set("SIGCONT", () => {
      // Whoever had the terminal meanwhile may have changed how it works.
      takeKeys(input, system);
      handler("continued");
    });
  }
  // Where the runtime doesn't tell of the new size, the next key draws for it.
  return addListeners(listeners, source);
}

function takeKeys(input: KeyInput, system: OperatingSystem): void {
  // Where keys send signals, Ctrl-C and Ctrl-Z go on doing so.
  input.setRaw(true, { cbreak: system.hasJobControl });
}
