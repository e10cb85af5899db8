/** The explorer: joins the state of the page, the answers of the service, and the panels that show them. */

import { findAccess } from "./access.js";
import { Answers } from "./answers.js";
import { Ask } from "./ask.js";
import { Combobox, MOST_TERMS } from "./combobox.js";
import { bdi, button, byId, fill, h } from "./dom.js";
import { factLine, termActions } from "./facts.js";
import { GraphView } from "./graph_view.js";
import { History } from "./history.js";
import { Legend } from "./legend.js";
import { Palette, watchTheme } from "./palette.js";
import { Panels } from "./panels.js";
import { PathPanel } from "./path.js";
import { factDetails, profile } from "./profile.js";
import { sceneOf } from "./scene.js";
import { grown, opened, pinned } from "./state.js";
import { Table } from "./table.js";
import { onKeys, Toolbar } from "./toolbar.js";

class Explorer {
  constructor() {
    this.most = Number(document.body.dataset.maxResults);
    this.known = null;
    this.loading = new AbortController();
    this.detailing = new AbortController();
    this.drawn = sceneOf(/** @type {any} */ ({ open: [], gone: [], pins: [], hide: [] }), /** @type {any} */ (null));
    this.history = new History(this.most, () => this.show());
    const palette = new Palette();
    const page = this.page();
    this.view = pictureOf(palette, this.#gestures());
    this.panels = new Panels((tab) => this.history.replace({ ...this.history.state, tab }));
    this.legend = new Legend(palette, page);
    this.table = new Table(page, palette);
    this.ask = new Ask(page);
    this.path = new PathPanel(page);
    this.toolbar = new Toolbar(this.history, this.view, page);
    this.#searches();
    onKeys(this.history);
    watchTheme(() => this.view.paint());
    findAccess({
      onApi: (api) => this.#read(api),
      onWait: (seconds) => this.tell(`The rate limit is used up for now. Going on in ${seconds} s …`, "wait"),
    });
  }

  /** What panels may ask of the page. */
  page() {
    return {
      most: this.most,
      state: () => this.history.state,
      scene: () => this.drawn,
      answers: () => this.known,
      push: (state) => this.history.push(state),
      replace: (state) => this.history.replace(state),
      tell: (message) => this.tell(message),
      again: () => {
        this.known.forget(this.history.state);
        this.show();
      },
    };
  }

  /** Show the state: first with what is known, then with what the service answers. */
  async show() {
    if (!this.known) return;
    this.loading.abort();
    this.loading = new AbortController();
    const { signal } = this.loading;
    const { state } = this.history;
    this.tell("");
    byId("busy").hidden = false;
    const failures = await this.known.load(state, signal);
    if (signal.aborted) return;
    byId("busy").hidden = true;
    this.#goneOn();
    const [failure] = failures.filter((one) => one.name !== "AbortError");
    if (failure) this.tell(failure.message, "fault");
    this.#draw(state);
  }

  /** A sentence at the top of the picture, which screen readers say too. */
  tell(message, kind = "fault") {
    const place = byId("message");
    place.textContent = message;
    place.hidden = !message;
    place.dataset.kind = kind;
  }

  /** What had to wait for the rate limit has come. */
  #goneOn() {
    if (byId("message").dataset.kind === "wait") this.tell("");
  }

  #draw(state) {
    const scene = (this.drawn = sceneOf(state, this.known));
    byId("empty").hidden = scene.nodes.size > 0;
    this.panels.show(state.tab);
    this.legend.show(scene, state);
    this.view.show(scene, state);
    this.table.show(scene, state);
    this.ask.show(state);
    this.path.show(state);
    this.toolbar.show(scene);
    this.#picked(state, scene);
    this.#details(state);
  }

  /** On a narrow screen, what is selected stands below the picture, with what can be done with it. */
  #picked(state, scene) {
    const fact = scene.facts.find((one) => one.id === state.fact);
    const more = button("All about it", () => this.history.replace({ ...state, tab: "details" }), {
      "data-key": "about",
    });
    if (state.node !== null)
      fill(byId("picked"), h("strong", {}, bdi(state.node)), termActions(this.page(), state.node), more);
    else if (fact) fill(byId("picked"), h("p", {}, ...factLine(fact)), more);
    else fill(byId("picked"));
  }

  async #details(state) {
    const place = byId("details");
    const isEmpty = this.drawn.nodes.size === 0;
    const isSelected = state.node !== null || state.fact !== null;
    const key = JSON.stringify([state.node, state.fact, isEmpty && !isSelected]);
    const renewActions = () => {
      if (state.node !== null) place.querySelector(".actions")?.replaceWith(termActions(this.page(), state.node));
    };
    // What is still on its way stays so: a double click selects a term, and opens it meanwhile.
    if (place.dataset.shown === key) {
      renewActions();
      return;
    }
    this.detailing.abort();
    this.detailing = new AbortController();
    const { signal } = this.detailing;
    place.dataset.shown = key;
    if (!isSelected) {
      fill(
        place,
        h(
          "p",
          { class: "quiet" },
          isEmpty
            ? "Nothing is drawn yet. Find a term in the box at the top, or ask with patterns in the tab Ask."
            : "Select a term or a fact, in the picture or in the table, to see all about it here.",
        ),
      );
      return;
    }
    place.setAttribute("aria-busy", "true");
    try {
      const parts = await (state.node !== null
        ? profile(this.page(), state.node, signal)
        : factDetails(this.page(), state.fact, signal));
      if (!signal.aborted) {
        fill(place, ...parts);
        renewActions();
      }
    } catch (error) {
      if (error.name !== "AbortError") {
        place.dataset.shown = "";
        fill(
          place,
          h(
            "p",
            { class: "fault" },
            error.status === 404
              ? "This fact is not there any more. Undo, or search for one of its terms."
              : error.message,
          ),
        );
      }
    } finally {
      if (!signal.aborted) {
        place.removeAttribute("aria-busy");
        this.#goneOn();
      }
    }
  }

  #gestures() {
    const select = (some) => this.history.push({ ...this.history.state, node: null, fact: null, ...some });
    const tab = () => (this.history.state.tab === "table" ? {} : { tab: "details" });
    return {
      onNode: (node) => select({ node, ...this.#aside(tab) }),
      onFact: (fact) => select({ fact, ...this.#aside(tab) }),
      onOpen: (term) => this.#open(term),
      onNothing: () => select({}),
      onPlaced: (term, x, y) => this.history.push(pinned(this.history.state, term, x, y)),
    };
  }

  /** Open a term or, if it is open, show more of its facts. */
  #open(term) {
    const { state } = this.history;
    const hasMore = this.drawn.nodes.get(term)?.open && this.drawn.nodes.get(term).more;
    this.history.push(hasMore ? grown(state, term, this.most) : opened(state, term));
  }

  /** On a narrow screen, the picture stays in front. */
  #aside(tab) {
    return this.panels.isNarrow ? {} : tab();
  }

  #searches() {
    const search = (text, signal) => this.known.api.terms(text, MOST_TERMS, signal).finally(() => this.#goneOn());
    const input = byId("search");
    new Combobox(input, search, (term) => {
      input.value = "";
      this.history.push({ ...opened(this.history.state, term), tab: this.panels.isNarrow ? "graph" : "details" });
    });
    for (const end of ["from", "to"]) {
      new Combobox(byId(`path-${end}`), search, (term) => {
        byId(`path-${end}`).value = term;
        this.path.choose({ [end]: term });
      });
    }
  }

  #read(api) {
    this.loading.abort();
    this.known = api && new Answers(api);
    document.body.classList.toggle("locked", !api);
    byId("access").hidden = Boolean(api);
    byId("search").disabled = !api;
    if (api) this.show();
    else
      this.view.show(
        (this.drawn = sceneOf(
          /** @type {any} */ ({ open: [], gone: [], pins: [], hide: [] }),
          /** @type {any} */ (null),
        )),
        this.history.state,
      );
  }
}

/** The picture or, where the browser has no WebGL, nothing in its place: the table shows the same. */
function pictureOf(palette, gestures) {
  try {
    return new GraphView(byId("graph"), palette, gestures);
  } catch {
    byId("no-picture").hidden = false;
    const nothing = () => {};
    return /** @type {any} */ ({ show: nothing, paint: nothing, zoom: nothing });
  }
}

// The page is painted first: to prepare WebGL takes longer than that.
requestAnimationFrame(() => setTimeout(() => new Explorer()));
