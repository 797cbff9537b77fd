/**
 * The charts: commands per second, latency, and how far replicas are behind. uPlot, which is a plain
 * script, has put itself into the global scope.
 *
 * @module
 */

import { html, setText } from "./dom.js";
import { formatBytes, formatLatency, formatShort, formatTime } from "./format.js";

/** @typedef {import("../../view.ts").StateView} StateView */
/** @typedef {{name: string, color: string, dash?: number[], fills?: boolean,
 *   valueOf: (sample: import("../../view.ts").SampleView) => number | null}} Line */

const HEIGHT = 190;
/** Seconds between the times at the axis. */
const TIME_STEPS = [5, 10, 15, 30, 60, 120, 300];
const REPLICA_COLORS = ["--series-1", "--series-2", "--series-3", "--series-4", "--series-5"];
/** Events that are marked in the charts, and how. */
const MARKS = new Map([["+switch-master", "--master"], ["+odown", "--bad"]]);

const THROUGHPUT = {
  title: "Throughput, per second",
  format: formatShort,
  least: 10,
  lines: [
    { name: "reads", color: "--replica", fills: true, valueOf: ({ reads }) => reads },
    { name: "writes", color: "--master", fills: true, valueOf: ({ writes }) => writes },
  ],
};
/** From a fraction of a ms to seconds; without commands there is none. */
const LATENCY = {
  title: "Latency",
  format: formatLatency,
  least: 1,
  isLogarithmic: true,
  lines: [
    {
      name: "read p50",
      color: "--replica",
      dash: [4, 4],
      valueOf: ({ readP50 }) => readP50 || null,
    },
    { name: "read p99", color: "--replica", valueOf: ({ readP99 }) => readP99 || null },
    {
      name: "write p50",
      color: "--master",
      dash: [4, 4],
      valueOf: ({ writeP50 }) => writeP50 || null,
    },
    { name: "write p99", color: "--master", valueOf: ({ writeP99 }) => writeP99 || null },
  ],
};
const LAG = { title: "Replicas behind by", format: formatBytes, least: 1000, lines: [] };

/**
 * Draws all charts; call `update` with each new state.
 *
 * @param {{throughput: Element, latency: Element, lag: Element}} parents
 */
export function drawCharts(parents) {
  let seconds = 60;
  let state = null;
  const charts = [
    new Chart(parents.throughput, THROUGHPUT),
    new Chart(parents.latency, LATENCY),
    new Chart(parents.lag, LAG),
  ];
  const redraw = () => {
    if (state === null) return;
    charts[2].setLines(lagLines(state));
    for (const chart of charts) chart.update(state, seconds);
  };
  document.addEventListener("themechange", () => {
    for (const chart of charts) chart.rebuild();
    redraw();
  });
  return {
    update(newState) {
      state = newState;
      redraw();
    },
    setRange(newSeconds) {
      seconds = newSeconds;
      redraw();
    },
  };
}

/** A line for each replica that there was in the time that is shown. */
function lagLines({ samples }) {
  const addresses = new Set(samples.flatMap(({ lagBytes }) => Object.keys(lagBytes)));
  return [...addresses].sort().map((address, index) => ({
    name: address,
    color: REPLICA_COLORS[index % REPLICA_COLORS.length],
    valueOf: ({ lagBytes }) => lagBytes[address] ?? null,
  }));
}

/** A chart with its title and its legend, which shows the values under the pointer, or the last ones. */
class Chart {
  #parent;
  #format;
  #least;
  #isLogarithmic;
  #lines;
  #plot = null;
  #place = html("div", { class: "plot" });
  #legend = html("ul", { class: "legend" });
  #probe = html("span", { hidden: "" });
  #values = [];
  #marks = [];
  #range = [0, 1];

  constructor(parent, { title, format, least, isLogarithmic = false, lines }) {
    this.#parent = parent;
    this.#format = format;
    this.#least = least;
    this.#isLogarithmic = isLogarithmic;
    this.#lines = lines;
    this.#place.setAttribute("role", "img");
    parent.append(
      html("header", {}, html("h2", {}, title), this.#legend),
      this.#place,
      this.#probe,
    );
    this.#place.setAttribute("aria-label", `Chart: ${title}; the legend has the latest values`);
    new ResizeObserver(() => this.#resize()).observe(parent);
  }

  /** Changes which lines there are. */
  setLines(lines) {
    const names = (list) => list.map(({ name }) => name).join(" ");
    if (names(lines) === names(this.#lines)) return;
    this.#lines = lines;
    this.rebuild();
  }

  /** Makes the chart anew with the next update: other lines, or other colours. */
  rebuild() {
    this.#plot?.destroy();
    this.#plot = null;
  }

  /** Shows the samples of the last seconds. */
  update({ samples, events, timeMs }, seconds) {
    const end = timeMs / 1000;
    this.#range = [end - seconds, end];
    this.#marks = events.filter(({ type }) => MARKS.has(type));
    const shown = samples.filter((sample) => sample.timeMs / 1000 >= end - seconds - 1);
    const data = [
      shown.map((sample) => sample.timeMs / 1000),
      ...this.#lines.map(({ valueOf }) => shown.map(valueOf)),
    ];
    if (this.#plot === null) this.#build(data);
    else this.#plot.setData(data);
    this.#showValues();
  }

  #build(data) {
    const color = (name) => this.#colorOf(name);
    this.#legend.replaceChildren();
    this.#values = this.#lines.map((line) => {
      const value = html("b", {}, "–");
      const key = html("i", { class: line.dash ? "dashed" : "" });
      key.style.color = `var(${line.color})`;
      this.#legend.append(html("li", {}, key, `${line.name} `, value));
      return value;
    });
    this.#plot = new globalThis.uPlot(
      {
        width: this.#width(),
        height: HEIGHT,
        padding: [10, 24, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: "charts" }, y: false, points: { size: 6 } },
        scales: {
          x: { range: () => this.#range },
          y: this.#isLogarithmic
            ? { distr: 3, range: decades }
            : { range: (_plot, _least, most) => [0, Math.max(most ?? 0, this.#least) * 1.15] },
        },
        axes: this.#axes(color),
        series: [{}, ...this.#lines.map((line) => seriesOf(line, color))],
        hooks: {
          draw: [(plot) => this.#drawMarks(plot, color)],
          setCursor: [() => this.#showValues()],
        },
      },
      data,
      this.#place,
    );
  }

  #axes(color) {
    const common = {
      stroke: color("--muted"),
      font: "11px system-ui, sans-serif",
      grid: { stroke: color("--grid"), width: 1 },
      ticks: { show: false },
    };
    return [
      {
        ...common,
        grid: { show: false },
        space: 80,
        incrs: TIME_STEPS,
        size: 26,
        values: (_plot, times) => times.map((time) => formatTime(time * 1000)),
      },
      {
        ...common,
        size: 58,
        space: 36,
        grid: this.#isLogarithmic ? { ...common.grid, filter: onlyDecades } : common.grid,
        values: (_plot, values) => values.map((value) => value === null ? "" : this.#format(value)),
      },
    ];
  }

  /** A line where a failover has happened. */
  #drawMarks(plot, color) {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.lineWidth = devicePixelRatio;
    ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
    for (const { timeMs, type } of this.#marks) {
      const x = plot.valToPos(timeMs / 1000, "x", true);
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.strokeStyle = color(MARKS.get(type));
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  #showValues() {
    if (this.#plot === null) return;
    const { data, cursor } = this.#plot;
    const index = cursor.idx ?? data[0].length - 1;
    this.#values.forEach((element, line) => {
      const value = data[line + 1]?.[index] ?? null;
      setText(element, value === null ? "–" : this.#format(value));
    });
  }

  /** The colour that a variable of the style stands for now, as a canvas understands it. */
  #colorOf(name) {
    this.#probe.style.color = `var(${name})`;
    return getComputedStyle(this.#probe).color;
  }

  #width() {
    const style = getComputedStyle(this.#parent);
    return this.#parent.clientWidth - parseFloat(style.paddingLeft) -
      parseFloat(style.paddingRight);
  }

  #resize() {
    this.#plot?.setSize({ width: this.#width(), height: HEIGHT });
  }
}

/** Whole powers of ten around what is there, from 0.1 to 10 at least. */
function decades(_plot, least, most) {
  const from = Math.floor(Math.log10(Math.min(least ?? 1, 0.9)));
  const to = Math.ceil(Math.log10(Math.max(most ?? 1, 9)));
  return [10 ** from, 10 ** to];
}

/** Leaves the powers of ten, each of which has a line. */
function onlyDecades(_plot, values) {
  return values.map((value) => Number.isInteger(Math.log10(value)) ? value : null);
}

/** How uPlot is told of a line. */
function seriesOf({ name, color: variable, dash, fills }, color) {
  const stroke = color(variable);
  return {
    label: name,
    stroke,
    width: 1.75,
    dash,
    points: { show: false },
    fill: fills ? fadeOf(stroke) : undefined,
  };
}

/** A fill that fades towards the axis. */
function fadeOf(stroke) {
  return ({ ctx, bbox }) => {
    // Before the first layout there is no place to fade over.
    if (!Number.isFinite(bbox.top + bbox.height)) return "transparent";
    const gradient = ctx.createLinearGradient(0, bbox.top, 0, bbox.top + bbox.height);
    gradient.addColorStop(0, `color-mix(in srgb, ${stroke} 30%, transparent)`);
    gradient.addColorStop(1, `color-mix(in srgb, ${stroke} 2%, transparent)`);
    return gradient;
  };
}
