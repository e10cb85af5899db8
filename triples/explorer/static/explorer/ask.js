/** The box for patterns, in the syntax of rules: its answers are drawn and listed, with the calls that ask the same. */

import { bdi, button, byId, fill, h } from "./dom.js";
import { termButton, weightSpan } from "./facts.js";
import { count, plural, weight } from "./format.js";
import { FIRST } from "./state.js";

export class Ask {
  /** @param {import("./facts.js").Page & {answers: () => import("./answers.js").Answers}} page */
  constructor(page) {
    this.page = page;
    this.box = byId("question");
    byId("ask-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#ask();
    });
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) this.#ask();
    });
    byId("ask-clear").addEventListener("click", () => page.push({ ...page.state(), question: "", k: FIRST }));
  }

  /** @param {import("./state.js").State} state */
  show(state) {
    if (document.activeElement !== this.box) this.box.value = state.question;
    byId("ask-clear").hidden = !state.question;
    const known = state.question ? this.page.answers().question(state) : null;
    fill(byId("answers"), ...(known ? this.#answers(known, state) : []));
  }

  #ask() {
    const { page } = this;
    const state = page.state();
    const question = this.box.value.trim();
    if (question === state.question) page.again();
    else page.push({ ...state, question, k: FIRST, tab: "ask" });
  }

  #answers({ answer, curl, python }, state) {
    const { variables, results } = answer;
    if (!results.length)
      return [
        h("p", {}, "Nothing matches. Check the spelling of terms with the search above, or leave a pattern out."),
        ...calls(curl, python),
      ];
    const more = answer.next_cursor && state.k < this.page.most;
    return [
      h(
        "p",
        { role: "status" },
        `${plural(results.length, "answer")}${answer.next_cursor ? ", and there are more" : ""}, found in ${count(answer.query_time_ms)} ms.`,
      ),
      answer.complete_above !== undefined &&
        h(
          "p",
          { class: "warning" },
          `The time was over. Every answer heavier than ${weight(answer.complete_above)} is here; ask more narrowly for the others.`,
        ),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answers" },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ...variables.map((one) => h("th", { scope: "col" }, bdi(one))),
              h("th", { scope: "col" }, "Weight"),
            ),
          ),
          h("tbody", {}, ...results.map((one) => this.#row(one, variables))),
        ),
      ),
      more &&
        button(
          `Show ${count(Math.min(FIRST, this.page.most - state.k))} more`,
          () => this.page.push({ ...state, k: Math.min(this.page.most, state.k + FIRST) }),
          { "data-key": "more-answers" },
        ),
      answer.next_cursor &&
        !more &&
        h(
          "p",
          { class: "quiet" },
          `No more than ${count(state.k)} answers are shown here. The calls below go on with “cursor”.`,
        ),
      ...calls(curl, python),
    ];
  }

  #row({ bindings, weight: heavy }, variables) {
    const cells = variables.map((one) =>
      h("td", {}, bindings[one] === null ? "–" : termButton(this.page, bindings[one])),
    );
    return h("tr", {}, ...cells, h("td", { class: "number" }, weightSpan({ weight: heavy })));
  }
}

/** The calls of the API that ask the same, each with a button that copies it. */
function calls(curl, python) {
  return [
    ["curl", curl],
    ["Python", python],
  ].map(([name, text]) => {
    const copy = button(
      "Copy",
      async () => {
        await navigator.clipboard.writeText(text);
        copy.textContent = "Copied";
      },
      { class: "small", "aria-label": `Copy the call with ${name}` },
    );
    return h(
      "details",
      {},
      h("summary", {}, `The same with ${name}`),
      h("pre", { tabindex: 0, "aria-label": `Call with ${name}` }, text),
      navigator.clipboard && copy,
    );
  });
}
