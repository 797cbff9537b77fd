/**
 * What runs inside of the page. It is JavaScript, since the types of a page are not those of the
 * rest of the program.
 *
 * @module
 */

/**
 * By how much the page is wider than the window.
 *
 * @returns {number}
 */
export function overflow() {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth - clientWidth;
}

/**
 * How many dots something was drawn on, for each chart.
 *
 * @returns {number[]}
 */
export function drawnDots() {
  return [...document.querySelectorAll("canvas")].map((canvas) => {
    // A copy, since the browser complains of canvases that are drawn on and read in turns.
    const copy = new OffscreenCanvas(canvas.width, canvas.height);
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0);
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 3 && value > 0).length;
  });
}

/**
 * The id of the element that has the focus, or nothing.
 *
 * @returns {string}
 */
export function focused() {
  return document.activeElement?.id ?? "";
}

/**
 * The colour behind the page.
 *
 * @returns {string}
 */
export function groundColor() {
  return getComputedStyle(document.body).backgroundColor;
}

/**
 * Whether the picture is as wide as the place that it has.
 *
 * @returns {boolean}
 */
export function pictureFits() {
  const parent = document.getElementById("topology");
  return Number(parent.firstElementChild.getAttribute("width")) === parent.clientWidth;
}
