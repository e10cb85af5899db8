/** A field that finds terms while one types: an ARIA combobox with a list (WAI-ARIA Authoring Practices). */

import { bdi, h } from "./dom.js";
import { count } from "./format.js";

const DELAY_MS = 150;
/** So many terms are asked for. */
export const MOST_TERMS = 12;
const PLACES = { subject: "as subject", object: "as object", predicate: "as predicate" };

export class Combobox {
  /**
   * @param {HTMLInputElement} input with a list whose id `aria-controls` names
   * @param {(text: string, signal: AbortSignal) => Promise<{terms: any[]}>} search
   * @param {(term: string) => void} onChoose
   */
  constructor(input, search, onChoose) {
    this.input = input;
    this.list = /** @type {HTMLElement} */ (document.getElementById(input.getAttribute("aria-controls") ?? ""));
    this.search = search;
    this.onChoose = onChoose;
    this.terms = [];
    this.active = -1;
    this.asking = new AbortController();
    input.addEventListener("input", () => this.#typed());
    input.addEventListener("keydown", (event) => this.#key(event));
    input.addEventListener("focus", () => this.terms.length && this.#show(true));
    input.addEventListener("blur", () => setTimeout(() => this.#show(false), 150));
  }

  #typed() {
    clearTimeout(this.timer);
    this.asking.abort();
    const text = this.input.value.trim();
    if (!text) {
      this.#fill([], "");
      return;
    }
    this.timer = setTimeout(() => this.#ask(text), DELAY_MS);
  }

  async #ask(text) {
    this.asking = new AbortController();
    try {
      const { terms } = await this.search(text, this.asking.signal);
      const none = "No term has this in its name. Try fewer letters.";
      this.#fill(
        terms,
        !terms.length ? none : terms.length < MOST_TERMS ? "" : "There may be more. Type on to see them.",
      );
    } catch (error) {
      if (error.name !== "AbortError") this.#fill([], error.message);
    }
  }

  #fill(terms, message) {
    this.terms = terms;
    this.active = -1;
    this.input.removeAttribute("aria-activedescendant");
    const options = terms.map((one, place) => {
      const facts = Object.entries(PLACES).filter(([name]) => one.facts[name]);
      const told = facts.map(
        ([name, words]) => `${count(one.facts[name])}${one.facts[name] >= 1000 ? "+" : ""} ${words}`,
      );
      return h(
        "li",
        {
          role: "option",
          id: `${this.list.id}-${place}`,
          "aria-selected": "false",
          onpointerdown: (event) => event.preventDefault(),
          onclick: () => this.#choose(one.term),
        },
        bdi(one.term),
        h("span", { class: "quiet" }, told.join(", ") || "no facts"),
      );
    });
    this.list.replaceChildren(
      ...options,
      ...(message ? [h("li", { role: "option", "aria-disabled": "true", class: "quiet" }, message)] : []),
    );
    this.#show(Boolean(options.length || message));
  }

  #key(event) {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (!this.terms.length) return;
      event.preventDefault();
      this.#show(true);
      this.#mark(this.active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter") {
      event.preventDefault();
      const term = this.terms[this.active]?.term ?? this.input.value.trim();
      if (term) this.#choose(term);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.stopPropagation();
      this.#show(false);
    }
  }

  #mark(place) {
    const options = [...this.list.children];
    this.active = (place + this.terms.length) % this.terms.length;
    options.forEach((one, number) => one.setAttribute("aria-selected", String(number === this.active)));
    const option = options[this.active];
    this.input.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  }

  #choose(term) {
    clearTimeout(this.timer);
    this.asking.abort();
    this.#fill([], "");
    this.onChoose(term);
  }

  #show(open) {
    this.list.hidden = !open || !this.list.childElementCount;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
  }
}
