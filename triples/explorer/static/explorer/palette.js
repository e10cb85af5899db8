/** The colours of the style sheet for what is drawn on canvas, and the colours of predicates. */

import { h } from "./dom.js";

/** So many predicates have a colour of their own; the others share one more. */
const OWN_COLOURS = 10;

/** @param {() => void} onChange called when the theme changes, by the switch of the admin or by the system */
export function watchTheme(onChange) {
  const changed = () => {
    known.clear();
    onChange();
  };
  new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

const known = new Map();

/** The colour that a class of the style sheet gives a text now. @param {string} name */
export function colour(name) {
  if (!known.has(name)) {
    const probe = h("span", { class: `colour-${name}`, hidden: true });
    document.body.append(probe);
    known.set(name, getComputedStyle(probe).color);
    probe.remove();
  }
  return known.get(name);
}

/** Gives each predicate the colour of its turn; it keeps it as long as the page stands. */
export class Palette {
  #turns = new Map();

  /** The name of the predicate's colour in the style sheet. @param {string} predicate */
  name(predicate) {
    if (!this.#turns.has(predicate)) this.#turns.set(predicate, Math.min(this.#turns.size, OWN_COLOURS));
    return `p${this.#turns.get(predicate)}`;
  }

  /** @param {string} predicate */
  colour(predicate) {
    return colour(this.name(predicate));
  }
}
