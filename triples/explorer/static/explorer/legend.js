/** The predicates of the picture: their colours and counts, and what is shown of them. */

import { bdi, byId, fill, h, visible } from "./dom.js";
import { count, weight } from "./format.js";

export class Legend {
  /**
   * @param {import("./palette.js").Palette} palette
   * @param {{push: (state: any) => void, replace: (state: any) => void, state: () => any}} page
   */
  constructor(palette, page) {
    this.palette = palette;
    this.page = page;
    this.list = byId("predicates");
    this.slider = byId("min-weight");
    this.asserted = byId("asserted-only");
    this.slider.addEventListener("input", () => this.#told());
    this.slider.addEventListener("change", () => page.push({ ...page.state(), min: Number(this.slider.value) }));
    this.asserted.addEventListener("change", () => page.push({ ...page.state(), asserted: this.asserted.checked }));
    byId("all-predicates").addEventListener("click", () => page.push({ ...page.state(), hide: [] }));
  }

  /** @param {import("./scene.js").Scene} scene @param {import("./state.js").State} state */
  show(scene, state) {
    this.slider.value = String(state.min);
    this.asserted.checked = state.asserted;
    this.#told();
    const hide = new Set(state.hide);
    const sorted = [...scene.predicates].sort(([one, a], [two, b]) => b.all - a.all || (one < two ? -1 : 1));
    // Those come first into the palette that have most facts.
    for (const [predicate] of sorted) this.palette.name(predicate);
    fill(
      this.list,
      ...sorted.map(([predicate, { all, shown }]) => this.#row(predicate, all, shown, !hide.has(predicate))),
    );
    byId("all-predicates").hidden = !state.hide.length;
    byId("legend-empty").hidden = sorted.length > 0;
    byId("drawn").textContent = scene.all.length
      ? `${count(scene.facts.length)} of ${count(scene.all.length)} loaded facts are drawn, between ${count(scene.nodes.size)} terms.`
      : "";
  }

  #row(predicate, all, shown, checked) {
    const box = h("input", {
      type: "checkbox",
      "data-key": `hide ${predicate}`,
      checked,
      onchange: (event) => this.#toggled(predicate, event.target.checked),
    });
    const told = shown === all ? count(all) : `${count(shown)} of ${count(all)}`;
    return h(
      "li",
      {},
      h(
        "label",
        { title: visible(predicate) },
        box,
        h("span", { class: `swatch colour-${this.palette.name(predicate)}` }),
        bdi(predicate),
        h("span", { class: "count" }, told),
      ),
    );
  }

  #toggled(predicate, shown) {
    const state = this.page.state();
    const hide = state.hide.filter((one) => one !== predicate);
    this.page.push({ ...state, hide: shown ? hide : [...hide, predicate] });
  }

  #told() {
    byId("min-weight-value").textContent = weight(Number(this.slider.value));
  }
}
