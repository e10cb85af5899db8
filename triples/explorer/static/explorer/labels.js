/**
 * The texts of the picture, on a canvas of their own above it. The browser's own text drawing joins Arabic letters,
 * orders scripts that run to the left, and finds a font for every character, which an atlas of single glyphs does not.
 */

import { visible } from "./dom.js";
import { count } from "./format.js";
import { colour } from "./palette.js";

const FONT = '"Segoe UI", system-ui, Roboto, "Helvetica Neue", Arial, sans-serif';
const SMALL = `400 11px ${FONT}`;
const GAP = 4;
const LONGEST = 26;
/** Letters that take the room of two. */
const WIDE =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u;
/** With more edges than this, only the predicates of what is selected are written. */
const MOST_EDGE_LABELS = 60;
/** With more terms than this, labels may stand upon other terms. */
const MOST_APART = 150;

/** A term, cut where it would be wider than so many Latin letters. It is cut in the picture only, and in full elsewhere. */
export function shortened(text) {
  const letters = [...visible(text)];
  let room = LONGEST;
  const kept = letters.findIndex((letter) => (room -= WIDE.test(letter) ? 2 : 1) < 1);
  // The last letter may take the place of the dots.
  if (kept < 0 || (room === 0 && kept === letters.length - 1)) return letters.join("");
  return `${letters.slice(0, kept).join("")}…`;
}

/** What stands beside a term: how many facts it has that are not loaded. */
export function badge({ open, more, moreCapped }) {
  if (!more) return "";
  if (open) return `${count(more)}${moreCapped ? "+" : ""} more`;
  return `+${count(more)}${moreCapped ? "…" : ""}`;
}

export class Labels {
  constructor(sigma, graph, palette) {
    this.sigma = sigma;
    this.graph = graph;
    this.palette = palette;
    this.selected = { node: null, fact: null };
    this.hovered = null;
    /** @type {{key: string, box: number[]}[]} */
    this.boxes = [];
    this.canvas = document.createElement("canvas");
    this.canvas.className = "labels";
    this.canvas.setAttribute("aria-hidden", "true");
    sigma.getContainer().append(this.canvas);
    sigma.on("afterRender", () => this.draw());
  }

  /** The term whose label stands at this point. @param {{x: number, y: number}} point @returns {string|null} */
  at({ x, y }) {
    const found = this.boxes.find(({ box }) => x >= box[0] && x <= box[2] && y >= box[1] && y <= box[3]);
    return found ? found.key : null;
  }

  hover(key) {
    this.hovered = key;
    this.draw();
  }

  draw() {
    const { width, height } = this.sigma.getDimensions();
    this.width = width;
    const scale = devicePixelRatio || 1;
    const { canvas } = this;
    if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
    }
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, width, height);
    context.lineJoin = "round";
    this.taken = [];
    this.boxes = [];
    const nodes = this.#placed(width, height);
    if (nodes.length <= MOST_APART) {
      for (const { x, y, size } of nodes) this.taken.push([x - size, y - size, x + size, y + size]);
    }
    for (const node of nodes) this.#node(context, node);
    this.#edges(context, new Map(nodes.map((node) => [node.key, node])));
  }

  /** The nodes within the picture, those first whose label matters most. */
  #placed(width, height) {
    const nodes = [];
    this.graph.forEachNode((key, attributes) => {
      const { x, y } = this.sigma.graphToViewport(attributes);
      if (x < -200 || y < -20 || x > width + 20 || y > height + 20) return;
      const chosen = key === this.selected.node || key === this.hovered;
      const rank = (chosen ? 1e9 : 0) + (attributes.onPath ? 1e8 : 0) + (attributes.open ? 1e7 : 0) + attributes.degree;
      nodes.push({ key, x, y, attributes, chosen, rank, size: this.sigma.scaleSize(attributes.size) });
    });
    return nodes.sort((one, two) => two.rank - one.rank);
  }

  #node(context, { key, x, y, attributes, chosen, size }) {
    if (key === this.selected.node) this.#ring(context, x, y, size + 4, "select");
    if (attributes.pinned) this.#ring(context, x, y, size * 0.45, "ground");
    const text = shortened(key);
    const more = badge(attributes);
    const strong = attributes.open || chosen;
    context.font = `${strong ? 600 : 400} 13px ${FONT}`;
    const wide = context.measureText(text).width;
    context.font = SMALL;
    const beside = more ? context.measureText(more).width : 0;
    const below = attributes.open && more;
    const wider = below ? Math.max(wide, beside) : wide + (more ? beside + GAP : 0);
    // A label does not leave the picture as long as its node is in it.
    const middle = Math.max(wider / 2 + 3, Math.min(this.width - wider / 2 - 3, x));
    const box = [middle - wider / 2 - 2, y + size + 3, middle + wider / 2 + 2, y + size + (below ? 33 : 19)];
    if (!chosen && !attributes.open && this.#isTaken(box, size, x, y)) return;
    this.taken.push(box);
    this.boxes.push({ key, box });
    const left = below ? middle : middle - wider / 2 + wide / 2;
    this.#text(context, text, left, y + size + 14, `${strong ? 600 : 400} 13px ${FONT}`, "text");
    if (below) this.#text(context, more, middle, y + size + 28, SMALL, "quiet");
    else if (more) this.#text(context, more, middle + wider / 2 - beside / 2, y + size + 14, SMALL, "quiet");
  }

  #edges(context, nodes) {
    const all = this.graph.size <= MOST_EDGE_LABELS;
    const { node, fact } = this.selected;
    this.graph.forEachEdge((id, attributes, subject, object) => {
      const chosen = id === fact || id === this.hovered;
      const beside = [subject, object].some((term) => term === node || term === this.hovered);
      if (!(all || chosen || attributes.onPath || (beside && this.graph.size <= 3 * MOST_EDGE_LABELS))) return;
      const from = nodes.get(subject);
      const to = nodes.get(object);
      if (!from || !to) return;
      const text = shortened(attributes.predicate);
      context.font = SMALL;
      const wide = context.measureText(text).width;
      const x = from.x + (to.x - from.x) * 0.5;
      const y = from.y + (to.y - from.y) * 0.5 + (subject === object ? -3 * from.size : 0);
      const box = [x - wide / 2 - 1, y - 8, x + wide / 2 + 1, y + 6];
      if (!chosen && (this.#isTaken(box) || Math.hypot(to.x - from.x, to.y - from.y) < wide * 0.8)) return;
      this.taken.push(box);
      this.#text(context, text, x, y + 3, context.font, this.palette.name(attributes.predicate));
    });
  }

  #text(context, text, x, y, font, name) {
    context.font = font;
    context.textAlign = "center";
    context.strokeStyle = colour("ground");
    context.lineWidth = 3.5;
    context.strokeText(text, x, y);
    context.fillStyle = colour(name);
    context.fillText(text, x, y);
  }

  #ring(context, x, y, radius, name) {
    context.beginPath();
    context.arc(x, y, radius, 0, 2 * Math.PI);
    context.strokeStyle = colour(name);
    context.lineWidth = 2;
    context.stroke();
  }

  /** Whether something stands there; the node itself, whose middle is given, is no hindrance. */
  #isTaken(box, size = 0, x = NaN, y = NaN) {
    return this.taken.some(
      (other) =>
        box[0] < other[2] &&
        box[2] > other[0] &&
        box[1] < other[3] &&
        box[3] > other[1] &&
        !(other[0] === x - size && other[1] === y - size),
    );
  }
}
