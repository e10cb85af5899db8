/** What is drawn, as a table: the same selection and the same actions, for the keyboard and for screen readers. */

import { bdi, button, byId, fill, h, visible } from "./dom.js";
import { termActions, termButton, weightSpan } from "./facts.js";
import { count } from "./format.js";

const ROWS = 200;
const COLUMNS = [
  ["subject", "Subject"],
  ["predicate", "Predicate"],
  ["object", "Object"],
  ["weight", "Weight"],
];

export class Table {
  /** @param {import("./facts.js").Page} page @param {import("./palette.js").Palette} palette */
  constructor(page, palette) {
    this.page = page;
    this.palette = palette;
    this.sort = { by: "weight", down: true };
    this.rows = ROWS;
  }

  /** @param {import("./scene.js").Scene} scene @param {import("./state.js").State} state */
  show(scene, state) {
    this.scene = scene;
    const facts = [...scene.facts].sort((one, two) => this.#compare(one, two));
    const shown = facts.slice(0, this.rows);
    const left = facts.length - shown.length;
    fill(
      byId("table"),
      state.node !== null &&
        h(
          "div",
          { class: "selected" },
          h("strong", {}, bdi(state.node)),
          termActions(this.page, state.node),
          button("Show its profile", () => this.page.replace({ ...state, tab: "details" }), { "data-key": "profile" }),
        ),
      facts.length
        ? h(
            "div",
            { class: "scroll", tabindex: 0, role: "region", "aria-label": "Facts that are drawn" },
            h(
              "table",
              {},
              h(
                "thead",
                {},
                h(
                  "tr",
                  {},
                  ...COLUMNS.map(([by, title]) => this.#heading(by, title)),
                  h("th", { scope: "col" }, "Kind"),
                ),
              ),
              h("tbody", {}, ...shown.map((fact) => this.#row(fact, state))),
            ),
          )
        : h(
            "p",
            { class: "quiet" },
            scene.all.length
              ? "The legend hides every fact. Tick a predicate, or lower the least weight."
              : "Nothing is drawn yet. Search for a term above.",
          ),
      left > 0 && button(`Show the other ${count(left)} rows`, () => this.#all(state), { "data-key": "all-rows" }),
    );
  }

  #heading(by, title) {
    const { sort } = this;
    const order = sort.by === by ? (sort.down ? "descending" : "ascending") : "none";
    const click = () => {
      this.sort = { by, down: sort.by === by ? !sort.down : by === "weight" };
      this.show(this.scene, this.page.state());
    };
    const arrow = order === "none" ? "" : sort.down ? " ↓" : " ↑";
    return h("th", { scope: "col", "aria-sort": order }, button(title + arrow, click, { "data-key": `sort ${by}` }));
  }

  #row(fact, state) {
    const { page } = this;
    const chosen = fact.id === state.fact || fact.subject === state.node || fact.object === state.node;
    const select = () => page.push({ ...page.state(), fact: fact.id, node: null });
    const kind = button(
      fact.inferred ? "Why?" : "Fact",
      () => page.push({ ...page.state(), fact: fact.id, node: null, tab: "details" }),
      {
        class: "small",
        "data-key": `kind ${fact.id}`,
        "aria-label": `${fact.inferred ? "Why?" : "Fact"} ${visible(`${fact.subject} ${fact.predicate} ${fact.object}`)}`,
      },
    );
    const predicate = h(
      "button",
      { type: "button", class: "term", onclick: select, "data-key": fact.id },
      bdi(fact.predicate),
    );
    return h(
      "tr",
      { class: chosen ? "chosen" : null, "aria-current": fact.id === state.fact ? "true" : null },
      h("td", {}, termButton(page, fact.subject)),
      h(
        "td",
        {},
        h(
          "div",
          { class: "coloured" },
          h("span", { class: `swatch colour-${this.palette.name(fact.predicate)}` }),
          predicate,
        ),
      ),
      h("td", {}, termButton(page, fact.object)),
      h("td", { class: "number" }, weightSpan(fact)),
      h("td", {}, kind),
    );
  }

  #all(state) {
    this.rows = Infinity;
    this.show(this.scene, state);
  }

  #compare(one, two) {
    const { by, down } = this.sort;
    const [first, second] = down ? [two, one] : [one, two];
    const order = by === "weight" ? first.weight - second.weight : first[by].localeCompare(second[by]);
    return order || one.subject.localeCompare(two.subject) || one.object.localeCompare(two.object);
  }
}
