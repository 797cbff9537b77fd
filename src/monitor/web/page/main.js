/**
 * Puts the page together: each new state goes to the picture, the charts, the panels and the controls.
 *
 * @module
 */

import { drawCharts } from "./charts.js";
import { follow } from "./connection.js";
import { makeControls } from "./controls.js";
import { chooseGroup } from "./describe.js";
import { byId, html, setText } from "./dom.js";
import { showBanner, showPanels } from "./panels.js";
import { drawTopology } from "./topology.js";

const showTopology = drawTopology(byId("topology"));
const charts = drawCharts({
  throughput: byId("chart-throughput"),
  latency: byId("chart-latency"),
  lag: byId("chart-lag"),
});
const showControls = makeControls();
const choice = byId("group");
let latest = null;

function show() {
  const { state, controls } = latest;
  const group = chooseGroup(state.groups, choice.value);
  offerGroups(state.groups, group);
  showPanels(state, group);
  showTopology(state, group);
  charts.update(state);
  showControls(group, controls);
}

function offerGroups(groups, chosen) {
  const names = groups.map(({ name }) => name);
  if ([...choice.options].map(({ value }) => value).join("\n") !== names.join("\n")) {
    choice.replaceChildren(...names.map((name) => html("option", { value: name }, name)));
    choice.value = chosen?.name ?? "";
  }
  choice.parentElement.hidden = groups.length < 2;
}

function showLink(isUp) {
  const link = byId("link");
  link.dataset.link = isUp ? "live" : "lost";
  setText(link.lastElementChild, isUp ? "live" : "reconnecting");
  document.body.classList.toggle("stale", !isUp);
  if (isUp) return;
  showBanner("bad", "No connection to the monitor", "What you see is old. Trying again …");
  showControls(undefined, null);
}

choice.addEventListener("change", show);
for (const button of document.querySelectorAll("[data-seconds]")) {
  button.addEventListener("click", () => {
    for (const other of button.parentElement.children) {
      other.setAttribute("aria-pressed", String(other === button));
    }
    charts.setRange(Number(button.dataset.seconds));
  });
}
follow("/api/events", (state, controls) => {
  latest = { state, controls };
  show();
}, showLink);
