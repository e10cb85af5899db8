/** The best path between two terms. */

import { byId, fill, h, visible } from "./dom.js";
import { termButton, weightSpan } from "./facts.js";
import { plural, weight } from "./format.js";

export class PathPanel {
  /** @param {import("./facts.js").Page & {answers: () => import("./answers.js").Answers}} page */
  constructor(page) {
    this.page = page;
    this.from = byId("path-from");
    this.to = byId("path-to");
    byId("path-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.choose({ from: this.from.value.trim(), to: this.to.value.trim() });
    });
    byId("path-order").addEventListener("change", (event) => this.choose({ order: event.target.value }));
    byId("path-clear").addEventListener("click", () => this.choose({ from: "", to: "" }));
  }

  choose(some) {
    this.page.push({ ...this.page.state(), ...some, tab: "path" });
  }

  /** @param {import("./state.js").State} state */
  show(state) {
    for (const [input, text] of [
      [this.from, state.from],
      [this.to, state.to],
    ]) {
      if (document.activeElement !== input) input.value = text;
    }
    byId("path-order").value = state.order;
    byId("path-clear").hidden = !state.from && !state.to;
    const answer = state.from && state.to ? this.page.answers().paths(state) : null;
    fill(byId("paths"), ...(answer ? this.#found(answer) : [h("p", { class: "quiet" }, this.#next(state))]));
  }

  #next({ from, to }) {
    if (from && !to)
      return `Now choose the other end: type it, or select it in the picture and press “Path to here”. From: ${visible(from)}`;
    if (from && to) return "Looking …";
    return "Choose two terms. The path between them that weighs most is drawn.";
  }

  #found({ paths, complete_above: above, complete_within: within }) {
    const cut = above !== undefined || within !== undefined;
    if (!paths.length) {
      return [
        h(
          "p",
          { role: "status" },
          cut
            ? "The time was over before a path was found. Choose terms that are closer."
            : "No path of up to 6 facts connects them.",
        ),
      ];
    }
    const [path] = paths;
    return [
      h("p", { role: "status" }, `${plural(path.length, "fact")}, together of weight ${weight(path.weight)}.`),
      cut && h("p", { class: "warning" }, "The time was over: there may be a better path."),
      h("ol", { class: "path" }, ...path.facts.map((fact) => h("li", {}, this.#step(fact)))),
    ].filter(Boolean);
  }

  #step(fact) {
    const { page } = this;
    const select = () => page.push({ ...page.state(), fact: fact.id, node: null });
    const arrow = fact.inferred ? "⇢" : "→";
    return h(
      "div",
      { class: "line" },
      termButton(page, fact.subject),
      h("button", { type: "button", class: "term predicate", onclick: select }, visible(fact.predicate), ` ${arrow}`),
      termButton(page, fact.object),
      weightSpan(fact),
    );
  }
}
