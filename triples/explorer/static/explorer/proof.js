/** The proof of an inferred fact, as a tree down to asserted facts. */

import { bdi, button, h, visible } from "./dom.js";
import { weightSpan } from "./facts.js";
import { weight } from "./format.js";

/** @returns {Promise<HTMLElement>} */
export async function proof(page, id, signal) {
  const tree = await page.answers().api.explain(id, signal);
  return h(
    "section",
    { "aria-label": "Proof" },
    h("h3", {}, "Why it holds"),
    h("ul", { class: "proof" }, node(page, tree, true)),
  );
}

function node(page, fact, top) {
  const select = () => page.push({ ...page.state(), fact: fact.id, node: null });
  const line = h(
    "span",
    {},
    bdi(fact.subject),
    " ",
    bdi(fact.predicate, { class: "predicate" }),
    " ",
    bdi(fact.object),
  );
  return h(
    "li",
    { class: fact.inferred ? "inferred" : "asserted" },
    h(
      "div",
      { class: "line" },
      top ? line : h("button", { type: "button", class: "term", onclick: select }, line),
      weightSpan(fact),
    ),
    fact.rule &&
      h(
        "div",
        { class: "quiet" },
        "by the rule ",
        h("strong", {}, bdi(fact.rule.name)),
        `, weight ${weight(fact.rule.weight)}`,
        h("code", { class: "rule" }, ruleText(fact.rule)),
      ),
    !fact.inferred && h("div", { class: "quiet" }, "asserted"),
    fact.seen && h("div", { class: "quiet" }, "Its proof stands elsewhere in this tree."),
    fact.truncated && h("div", {}, "The tree is cut here. ", button("Show its proof", select)),
    fact.premises?.length > 0 && h("ul", {}, ...fact.premises.map((premise) => node(page, premise, false))),
  );
}

/** A rule in the syntax of rules: head, then body. */
function ruleText({ head, body }) {
  const place = (one) => (typeof one === "string" ? quoted(one, true) : quoted(one.term, false));
  const pattern = (places) => places.map(place).join(" ");
  return visible(`${pattern(head)} <- ${body.map(pattern).join(", ")}`);
}

function quoted(text, mayBeVariable) {
  return /\s|"/.test(text) || (text.startsWith("?") && !mayBeVariable) ? JSON.stringify(text) : text;
}
