import { assertEquals } from "@std/assert";
import { type KeyInput, onSystemRedraw, openSystemKeyboard } from "../../src/client/keyboard.ts";
import { LINUX, WINDOWS } from "../../src/runtime/operating_system.ts";

/** An input that notes what is done to it. */
function input(pieces: (string | Error)[] = []): KeyInput & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    setRaw: (mode, options) => calls.push(mode ? `raw, cbreak ${options?.cbreak}` : "cooked"),
    read(room) {
      const piece = pieces.shift();
      if (piece instanceof Error) return Promise.reject(piece);
      if (piece === undefined) return Promise.resolve(null);
      return Promise.resolve(new TextEncoder().encodeInto(piece, room).written);
    },
  };
}

Deno.test("keys come as they are pressed, until the window is closed", async () => {
  const terminal = input(["a", "bc", new Deno.errors.BadResource()]);
  const keyboard = openSystemKeyboard(terminal, LINUX);
  const read: (string | null)[] = [];
  for (let piece = await keyboard.read(); piece !== null; piece = await keyboard.read()) {
    read.push(new TextDecoder().decode(piece));
  }
  keyboard.close();
  assertEquals(read, ["a", "bc"]);
  assertEquals(terminal.calls, ["raw, cbreak true", "cooked"]);
  const elsewhere = input();
  openSystemKeyboard(elsewhere, WINDOWS);
  assertEquals(elsewhere.calls, ["raw, cbreak false"]);
});

Deno.test("another size and the end of a pause are told, where the system tells them", () => {
  for (const system of [LINUX, WINDOWS]) {
    const listeners = new Map<string, () => void>();
    const reasons: string[] = [];
    const terminal = input();
    const forget = onSystemRedraw((reason) => reasons.push(reason), terminal, system, {
      add(signal, listener) {
        if (system === WINDOWS) throw new TypeError(`no ${signal} here`);
        listeners.set(signal, listener);
      },
      remove: (signal) => listeners.delete(signal),
    });
    for (const listener of listeners.values()) listener();
    assertEquals(reasons, system === LINUX ? ["resized", "continued"] : []);
    assertEquals(terminal.calls.length, system === LINUX ? 1 : 0);
    forget();
    assertEquals(listeners.size, 0);
  }
});
