/** How a fact stands in lists, and what can be done with a term: the same everywhere on the page. */

import { bdi, button, h } from "./dom.js";
import { count, plural, weight } from "./format.js";
import { following, grown, hidden, opened, unpinned } from "./state.js";

/**
 * @typedef {{state: () => import("./state.js").State, push: (state: any) => void, scene: () => import("./scene.js").Scene,
 *   most: number}} Page
 */

/** A term as a button that selects it. @param {Page} page @param {string} term */
export const termButton = (page, term) =>
  h(
    "button",
    { type: "button", class: "term", onclick: () => page.push({ ...page.state(), node: term, fact: null }) },
    bdi(term),
  );

/** The three terms of a fact on one line. */
export const factLine = (fact) => [
  bdi(fact.subject),
  " ",
  bdi(fact.predicate, { class: "predicate" }),
  " ",
  bdi(fact.object),
];

export const weightSpan = (fact) => h("span", { class: "weight", title: String(fact.weight) }, weight(fact.weight));

/** The actions for a term. @param {Page} page @param {string} term */
export function termActions(page, term) {
  const state = page.state();
  const node = page.scene().nodes.get(term);
  const k = state.open.find(([one]) => one === term)?.[1];
  const key = (name) => ({ "data-key": `${name} ${term}` });
  const actions = [];
  if (k === undefined)
    actions.push(button("Open", () => page.push(opened(state, term)), { ...key("open"), class: "main" }));
  else if (node?.more && k < page.most) {
    const next = following(k, page.most) - k;
    const label = `Show ${plural(node.moreCapped ? next : Math.min(next, node.more), "more fact")}`;
    actions.push(button(label, () => page.push(grown(state, term, page.most)), { ...key("open"), class: "main" }));
  }
  const full = (node?.more ?? 0) > 0 && k === page.most;
  actions.push(
    button(
      "Path from here",
      () => page.push({ ...state, from: term, to: state.to === term ? "" : state.to, tab: "path" }),
      key("from"),
    ),
  );
  if (state.from && state.from !== term) {
    actions.push(button("Path to here", () => page.push({ ...state, to: term, tab: "path" }), key("to")));
  }
  if (node) actions.push(button("Take out", () => page.push(hidden(state, term)), key("out")));
  if (state.pins.some(([one]) => one === term)) {
    actions.push(button("Let it move", () => page.push(unpinned(state, term)), key("unpin")));
  }
  const told = `The picture takes no more than ${count(page.most)} facts of a term. Its profile has them all.`;
  return h("div", { class: "actions" }, ...actions, full && h("p", { class: "quiet" }, told));
}
