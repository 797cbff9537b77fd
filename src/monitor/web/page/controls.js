/**
 * What can be done on the page: a failover by hand, and in a demo killing and starting servers.
 *
 * The token is kept in memory alone. It may come behind a `#` in the address (`#token=...`), which a
 * browser doesn't send; it is taken out of the address at once.
 *
 * @module
 */

import { byId, html, keepChildren, setAttributes, setText } from "./dom.js";

/** @typedef {import("../../view.ts").GroupView} GroupView */
/** @typedef {{failover: boolean, demo: {address: string, running: boolean}[] | null}} Controls */

const TOAST_MS = 6000;

/**
 * Makes the controls work; call what it returns with each new state.
 *
 * @returns {(group: GroupView | undefined, controls: Controls | null) => void} null: not connected
 */
export function makeControls() {
  const update = makeFailover(takeTokenFromAddress());
  return (group, controls) => {
    update(group, controls);
    showDemo(controls);
  };
}

function takeTokenFromAddress() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return "";
  history.replaceState(null, "", location.pathname + location.search);
  return token;
}

function makeFailover(firstToken) {
  const dialog = byId("failover-dialog");
  let group = "";

  byId("token").value = firstToken;
  byId("failover").addEventListener("click", () => {
    setText(byId("failover-error"), "");
    dialog.showModal();
    byId(byId("token").value === "" ? "token" : "failover-submit").focus();
  });
  byId("failover-cancel").addEventListener("click", () => dialog.close());
  byId("failover-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    byId("failover-submit").disabled = true;
    const problem = await post("/api/failover", { group, token: byId("token").value });
    byId("failover-submit").disabled = false;
    setText(byId("failover-error"), problem ?? "");
    if (problem !== undefined) return byId("token").focus();
    dialog.close();
    showToast("The failover has begun.");
  });

  return (shown, controls) => {
    const reason = reasonAgainst(shown, controls);
    byId("failover").disabled = shown === undefined || controls === null || reason !== "";
    setText(byId("failover-note"), reason);
    // What is asked must not change under the reader's eyes.
    if (dialog.open || shown === undefined) return;
    group = shown.name;
    setText(byId("failover-title"), `Fail over ${group}`);
    setText(
      byId("failover-text"),
      `A replica takes the place of ${shown.master}. Reads go on; writes wait for a moment, and ` +
        "nothing is lost.",
    );
  };
}

/** Why there can't be a failover now; empty if there can. */
function reasonAgainst(group, controls) {
  if (controls === null || group === undefined) return "";
  if (!controls.failover) return "Failover by hand is off: no --http-token is set.";
  if (group.status === "failover") return "A failover is under way.";
  return "";
}

function showDemo(controls) {
  byId("demo").hidden = controls === null || controls.demo === null;
  keepChildren(
    byId("demo-nodes"),
    controls?.demo ?? [],
    ({ address }) => address,
    ({ address }) => {
      const button = html("button", { type: "button" });
      button.addEventListener("click", () => act(button, address));
      return button;
    },
    (button, { address, running }) => {
      setAttributes(button, { "data-action": running ? "kill" : "start" });
      setText(button, `${running ? "Kill" : "Start"} ${address}`);
    },
  );
}

async function act(button, node) {
  button.disabled = true;
  const problem = await post(`/api/demo/${button.dataset.action}`, { node });
  button.disabled = false;
  if (problem !== undefined) showToast(problem);
}

/** Asks for something; what is wrong if it isn't done. */
async function post(path, body) {
  try {
    const response = await fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json", "x-miniredis-monitor": "page" },
      body: JSON.stringify(body),
    });
    return (await response.json()).error;
  } catch {
    return "The monitor doesn't answer.";
  }
}

function showToast(message) {
  const toast = byId("toast");
  setText(toast, message);
  toast.hidden = false;
  clearTimeout(Number(toast.dataset.timer));
  toast.dataset.timer = setTimeout(() => toast.hidden = true, TOAST_MS);
}
