/**
 * The page's connection to the monitor: follows its stream of states, and finds it again when it was
 * lost. A monitor that was started anew sends its whole state at first, which replaces all that was
 * there.
 *
 * @module
 */

/** @typedef {import("../../view.ts").StateView} StateView */

const MOST_EVENTS = 200;
const SAMPLES_MS = 300_000;
const RETRY_MS = 1000;
/** The monitor sends each second; one that is silent for so long is gone, or the network is. */
const SILENCE_MS = 5000;

/**
 * Adds what is new to what is there.
 *
 * @param {StateView} state
 * @param {StateView} news the same, with the new events and samples alone
 * @returns {StateView}
 */
export function mergeState(state, news) {
  const oldest = news.timeMs - SAMPLES_MS;
  return {
    ...news,
    events: [...state.events, ...news.events].slice(-MOST_EVENTS),
    samples: [...state.samples, ...news.samples].filter(({ timeMs }) => timeMs > oldest),
  };
}

/**
 * Follows the stream as long as the page is seen: a hidden one would take one of the few connections
 * that a browser opens to a server.
 *
 * @param {string} url
 * @param {(state: StateView, controls: unknown) => void} onState
 * @param {(isUp: boolean) => void} onLink
 */
export function follow(url, onState, onLink) {
  let source = null;
  let state = null;
  let heardAt = 0;
  let triedAt = 0;

  const take = (merge) => ({ data }) => {
    const message = JSON.parse(data);
    heardAt = performance.now();
    state = merge(message.state);
    onLink(true);
    onState(state, message.controls);
  };
  const open = () => {
    source?.close();
    triedAt = heardAt = performance.now();
    source = new EventSource(url);
    source.addEventListener("state", take((whole) => whole));
    source.addEventListener("update", take((news) => mergeState(state, news)));
    source.addEventListener("error", () => {
      // The browser's own retries end for good with an answer that isn't a stream; ours don't.
      source.close();
      heardAt = -Infinity;
      onLink(false);
    });
  };
  const watch = () => {
    const now = performance.now();
    if (document.hidden || now - heardAt < SILENCE_MS || now - triedAt < RETRY_MS) return;
    onLink(false);
    open();
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source.close();
    else open();
  });
  setInterval(watch, RETRY_MS / 2);
  open();
}
