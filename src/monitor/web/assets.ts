/**
 * The files of the page. They are imported as text, so that an executable carries them.
 *
 * @module
 */

import chartLibraryStyle from "uplot/dist/uPlot.min.css" with { type: "text" };
import chartLibrary from "uplot/dist/uPlot.iife.min.js" with { type: "text" };
import base from "./page/base.css" with { type: "text" };
import charts from "./page/charts.js" with { type: "text" };
import connection from "./page/connection.js" with { type: "text" };
import controls from "./page/controls.js" with { type: "text" };
import describe from "./page/describe.js" with { type: "text" };
import dom from "./page/dom.js" with { type: "text" };
import format from "./page/format.js" with { type: "text" };
import icon from "./page/icon.svg" with { type: "text" };
import index from "./page/index.html" with { type: "text" };
import layout from "./page/layout.js" with { type: "text" };
import main from "./page/main.js" with { type: "text" };
import panels from "./page/panels.js" with { type: "text" };
import panelsStyle from "./page/panels.css" with { type: "text" };
import picture from "./page/picture.css" with { type: "text" };
import style from "./page/page.css" with { type: "text" };
import theme from "./page/theme.js" with { type: "text" };
import topology from "./page/topology.js" with { type: "text" };
import widths from "./page/widths.css" with { type: "text" };

/** A file of the page. */
export interface Asset {
  /** Its text. */
  readonly body: string;
  /** Its media type. */
  readonly type: string;
}

const HTML = "text/html; charset=utf-8";
const CSS = "text/css; charset=utf-8";
const SCRIPT = "text/javascript; charset=utf-8";

/** The files by their paths. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map<string, Asset>([
  ["/", { body: index, type: HTML }],
  ["/assets/icon.svg", { body: icon, type: "image/svg+xml" }],
  ["/assets/base.css", { body: base, type: CSS }],
  ["/assets/page.css", { body: style, type: CSS }],
  ["/assets/panels.css", { body: panelsStyle, type: CSS }],
  ["/assets/picture.css", { body: picture, type: CSS }],
  ["/assets/widths.css", { body: widths, type: CSS }],
  ["/assets/uplot.css", { body: chartLibraryStyle, type: CSS }],
  ["/assets/uplot.js", { body: chartLibrary, type: SCRIPT }],
  ["/assets/charts.js", { body: charts, type: SCRIPT }],
  ["/assets/connection.js", { body: connection, type: SCRIPT }],
  ["/assets/controls.js", { body: controls, type: SCRIPT }],
  ["/assets/describe.js", { body: describe, type: SCRIPT }],
  ["/assets/dom.js", { body: dom, type: SCRIPT }],
  ["/assets/format.js", { body: format, type: SCRIPT }],
  ["/assets/layout.js", { body: layout, type: SCRIPT }],
  ["/assets/main.js", { body: main, type: SCRIPT }],
  ["/assets/panels.js", { body: panels, type: SCRIPT }],
  ["/assets/theme.js", { body: theme, type: SCRIPT }],
  ["/assets/topology.js", { body: topology, type: SCRIPT }],
]);
