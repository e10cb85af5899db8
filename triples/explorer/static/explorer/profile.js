/** All about a term: its facts by predicate, in both directions, with metadata and sources. */

import { bdi, button, fill, h, visible } from "./dom.js";
import { termActions, termButton, weightSpan } from "./facts.js";
import { count, moment, plural } from "./format.js";

const PAGE = 50;
const COUNTED_UP_TO = 1000;
const SIDES = /** @type {const} */ ([
  { side: "subject", other: "object", counts: "out", title: "What it says", none: "No fact has it as subject." },
  { side: "object", other: "subject", counts: "in", title: "What is said of it", none: "No fact has it as object." },
]);

/**
 * @param {import("./facts.js").Page & {answers: () => import("./answers.js").Answers}} page
 * @param {string} term @param {AbortSignal} signal
 * @returns {Promise<HTMLElement[]>}
 */
export async function profile(page, term, signal) {
  const { api, neighbours } = page.answers();
  const [around, ...lists] = await Promise.all([
    neighbours.get(term)?.answer ?? api.neighbours(term, 1, signal),
    ...SIDES.map(({ side }) => api.triples({ [side]: term, limit: PAGE }, signal)),
  ]);
  const sections = SIDES.map((side, place) => new Side(page, term, side, around, lists[place]).element);
  return [h("h2", {}, bdi(term)), termActions(page, term), ...sections];
}

/** The facts of one direction, grouped by predicate; each group says how many it has and can be shown in full. */
class Side {
  constructor(page, term, side, around, list) {
    Object.assign(this, { page, term, side, around });
    this.facts = list.triples;
    this.cursor = list.next_cursor;
    this.countedUpTo = around.predicates_counted_up_to ?? COUNTED_UP_TO;
    this.element = h("section", { "aria-label": side.title, tabindex: -1 });
    /** The cursors of predicates that were asked for by themselves; null when all is there. */
    this.cursors = new Map();
    this.#draw();
  }

  #draw() {
    const { side, around } = this;
    const groups = new Map(around.predicates.filter((one) => one[side.counts]).map((one) => [one.predicate, []]));
    for (const fact of this.facts) groups.set(fact.predicate, [...(groups.get(fact.predicate) ?? []), fact]);
    const numbers = new Map(around.predicates.map((one) => [one.predicate, one[side.counts]]));
    fill(
      this.element,
      h("h3", {}, side.title),
      ...(groups.size
        ? [...groups].map(([predicate, facts]) => this.#group(predicate, facts, numbers.get(predicate) ?? 0))
        : [h("p", { class: "quiet" }, side.none)]),
      this.cursor && around.predicates_capped
        ? h(
            "p",
            { class: "quiet" },
            "There are many predicates. Only those of the heaviest facts are listed so far. ",
            button("Show more facts", () => this.#more(null)),
          )
        : null,
    );
  }

  #group(predicate, facts, number) {
    const whole =
      this.cursors.get(predicate) === null || !this.cursor || (number < this.countedUpTo && facts.length >= number);
    const told = whole
      ? count(facts.length)
      : `${count(facts.length)} of ${count(number)}${number >= this.countedUpTo ? " or more" : ""}`;
    return h(
      "details",
      { open: facts.length > 0 },
      h("summary", {}, bdi(predicate), " ", h("span", { class: "count" }, told)),
      h("ul", { class: "facts" }, ...facts.map((fact) => this.#fact(fact))),
      !whole &&
        button(facts.length ? "Show more" : "Show them", () => this.#more(predicate), {
          "data-key": `${this.side.side} ${predicate}`,
        }),
    );
  }

  #fact(fact) {
    const { page, side } = this;
    const told = fact.inferred
      ? `inferred by ${visible(fact.rule ?? "a rule")}`
      : `from ${fact.source}, ${moment(fact.created_at)}`;
    const metadata = Object.entries(fact.metadata);
    return h(
      "li",
      {},
      h(
        "div",
        { class: "line" },
        termButton(page, fact[side.other]),
        weightSpan(fact),
        button(
          fact.inferred ? "Why?" : "Fact",
          () => page.push({ ...page.state(), fact: fact.id, node: null, tab: "details" }),
          { class: "small" },
        ),
      ),
      h("div", { class: "quiet" }, told),
      metadata.length > 0 && metadataList(metadata),
    );
  }

  async #more(predicate) {
    const { api } = this.page.answers();
    const cursor = predicate === null ? this.cursor : this.cursors.get(predicate);
    try {
      const list = await api.triples({ [this.side.side]: this.term, predicate, limit: 2 * PAGE, cursor });
      if (predicate === null) this.cursor = list.next_cursor;
      else this.cursors.set(predicate, list.next_cursor);
      const known = new Set(this.facts.map((fact) => fact.id));
      this.facts = [...this.facts, ...list.triples.filter((fact) => !known.has(fact.id))];
      this.#draw();
    } catch (error) {
      this.page.tell(error.message);
    }
  }
}

/** @param {[string, any][]} metadata */
export const metadataList = (metadata) =>
  h(
    "dl",
    { class: "metadata" },
    ...metadata.flatMap(([name, value]) => [
      h("dt", {}, bdi(name)),
      h("dd", {}, bdi(typeof value === "string" ? value : JSON.stringify(value))),
    ]),
  );

/** One fact: its source and metadata or, if it is inferred, its proof. */
export async function factDetails(page, id, signal) {
  const { api } = page.answers();
  const { proof } = await import("./proof.js");
  const fact = await api.fact(id, signal);
  const told = fact.inferred
    ? `Inferred in ${plural(fact.depth ?? 1, "step")}, weight ${fact.weight === 0 ? 0 : weightSpan(fact).textContent}.`
    : `Asserted, weight ${weightSpan(fact).textContent}. It came from ${fact.source} on ${moment(fact.created_at)}.`;
  const metadata = Object.entries(fact.metadata);
  return [
    h(
      "h2",
      {},
      termButton(page, fact.subject),
      " ",
      bdi(fact.predicate, { class: "predicate" }),
      " ",
      termButton(page, fact.object),
    ),
    h("p", {}, told),
    !fact.inferred && (metadata.length ? metadataList(metadata) : h("p", { class: "quiet" }, "It has no metadata.")),
    fact.inferred && (await proof(page, id, signal)),
  ].filter(Boolean);
}
