"use strict";

// Inputs for terms as comboboxes (ARIA Authoring Practices): existing terms are offered, and any other text may stay.
// The service looks for them, so that typos and parts of names find them, too.

const WAIT = 150;
let boxes = 0;

class TermBox {
  constructor(input) {
    this.input = input;
    this.list = document.createElement("ul");
    this.list.id = `term-list-${++boxes}`;
    this.list.className = "term-list";
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Existing terms");
    this.list.hidden = true;
    this.status = document.createElement("span");
    this.status.className = "visually-hidden";
    this.status.setAttribute("role", "status");
    const frame = document.createElement("span");
    frame.className = "term-box";
    const focused = document.activeElement === input;
    input.replaceWith(frame);
    frame.append(input, this.list, this.status);
    // An input that is moved loses the focus.
    if (focused) input.focus();
    for (const [name, value] of Object.entries({
      role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": this.list.id,
    })) {
      input.setAttribute(name, value);
    }
    this.chosen = -1;
    input.addEventListener("input", () => this.ask());
    input.addEventListener("keydown", (event) => this.key(event));
    input.addEventListener("blur", () => this.close());
    // The input keeps the focus while somebody clicks on a term.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
    this.list.addEventListener("click", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) this.take(option);
    });
  }

  get options() {
    return [...this.list.children];
  }

  ask() {
    clearTimeout(this.timer);
    this.request?.abort();
    const typed = this.input.value.trim();
    if (!typed) {
      this.close();
      return;
    }
    this.timer = setTimeout(() => this.fetch(typed), WAIT);
  }

  async fetch(typed) {
    this.request = new AbortController();
    const place = this.input.dataset.place;
    const query = new URLSearchParams(place ? { q: typed, place } : { q: typed });
    try {
      const answer = await fetch(`${this.input.dataset.terms}?${query}`, { signal: this.request.signal });
      if (answer.ok) this.offer((await answer.json()).terms);
    } catch (error) {
      // Another letter was typed, or the service is away: the input works without.
      if (error.name !== "AbortError") this.close();
    }
  }

  offer(terms) {
    if (document.activeElement !== this.input) return;
    this.list.replaceChildren(...terms.map((term, number) => {
      const option = document.createElement("li");
      option.id = `${this.list.id}-${number}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.dataset.text = term.text;
      const name = document.createElement("bdi");
      name.textContent = term.shown;
      const facts = document.createElement("span");
      facts.className = "quiet";
      facts.textContent = term.facts;
      option.append(name, " ", facts);
      return option;
    }));
    this.chosen = -1;
    this.input.removeAttribute("aria-activedescendant");
    this.show(terms.length > 0);
    const known = terms.some((term) => term.text === this.input.value.trim());
    this.status.textContent = terms.length
      ? `${terms.length} existing term${terms.length === 1 ? "" : "s"}; arrow keys choose.`
      : "No term is like this.";
    this.input.classList.toggle("term-known", known);
  }

  show(open) {
    this.list.hidden = !open;
    this.input.setAttribute("aria-expanded", String(open));
  }

  close() {
    clearTimeout(this.timer);
    this.request?.abort();
    this.show(false);
    this.input.removeAttribute("aria-activedescendant");
    this.chosen = -1;
  }

  choose(number) {
    const { options } = this;
    options[this.chosen]?.setAttribute("aria-selected", "false");
    this.chosen = (number + options.length) % options.length;
    const option = options[this.chosen];
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", option.id);
  }

  take(option) {
    this.input.value = option.dataset.text;
    this.close();
    this.input.dispatchEvent(new Event("change", { bubbles: true }));
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.list.hidden;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (!open) this.ask();
      else if (event.key === "ArrowDown") this.choose(this.chosen + 1);
      else this.choose(this.chosen === -1 ? -1 : this.chosen - 1);
    } else if (open && event.key === "Enter" && this.chosen >= 0) {
      event.preventDefault();
      this.take(this.options[this.chosen]);
    } else if (open && event.key === "Escape") {
      event.preventDefault();
      this.close();
    }
  }
}

for (const input of document.querySelectorAll("input[data-terms]")) new TermBox(input);
