/**
 * Numbers, sizes and times for people. Nothing here knows the page.
 *
 * @module
 */

const THIN_SPACE = "\u202f";
const UNITS = ["B", "KB", "MB", "GB", "TB"];

/**
 * A count: `1 234 567`.
 *
 * @param {number} value
 */
export function formatCount(value) {
  return Math.round(value).toString().replace(/\B(?=(\d{3})+$)/g, THIN_SPACE);
}

/**
 * A count in little space: `950`, `12.3k`, `4.5M`.
 *
 * @param {number} value
 */
export function formatShort(value) {
  if (value < 1000) return String(Math.round(value));
  const steps = ["k", "M", "G", "T"];
  let rest = value;
  let step = -1;
  while (rest >= 999.5 && step < steps.length - 1) {
    rest /= 1000;
    step++;
  }
  return `${rest < 99.95 ? rest.toFixed(1) : Math.round(rest)}${steps[step]}`;
}

/**
 * Bytes: `0 B`, `1.5 KB`, `20 MB`.
 *
 * @param {number} bytes
 */
export function formatBytes(bytes) {
  let rest = bytes;
  let unit = 0;
  while (rest >= 1023.5 && unit < UNITS.length - 1) {
    rest /= 1024;
    unit++;
  }
  const digits = unit === 0 || rest >= 99.95 ? 0 : 1;
  return `${rest.toFixed(digits)}${THIN_SPACE}${UNITS[unit]}`;
}

/**
 * A latency in ms: `0.35 ms`, `12 ms`, `1.2 s`.
 *
 * @param {number} ms
 */
export function formatLatency(ms) {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)}${THIN_SPACE}s`;
  if (ms >= 99.95) return `${Math.round(ms)}${THIN_SPACE}ms`;
  return `${Number(ms.toFixed(ms >= 9.995 ? 1 : 2))}${THIN_SPACE}ms`;
}

/**
 * How long something takes or is ago: `3 s`, `2 min`, `5 h 12 min`, `3 d 4 h`.
 *
 * @param {number} ms
 */
export function formatDuration(ms) {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return `${(ms / 1000).toFixed(1)} s`;
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/**
 * The time of day, of the reader's place: `16:04:09`.
 *
 * @param {number} timeMs
 */
export function formatTime(timeMs) {
  const time = new Date(timeMs);
  return [time.getHours(), time.getMinutes(), time.getSeconds()]
    .map((part) => String(part).padStart(2, "0")).join(":");
}

/**
 * A text that isn't longer than `length`, with its middle left out.
 *
 * @param {string} text
 * @param {number} length
 */
export function shorten(text, length) {
  if (text.length <= length) return text;
  const end = Math.floor((length - 1) / 2);
  return `${text.slice(0, length - 1 - end)}…${text.slice(text.length - end)}`;
}
