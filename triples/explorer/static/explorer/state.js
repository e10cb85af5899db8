/**
 * What the page shows, as a plain value that fits into an address: which terms are open, what is asked, selected,
 * hidden and pinned. All that is drawn follows from it and from answers of the service.
 *
 * @typedef {{open: [string, number][], gone: string[], pins: [string, number, number][],
 *   node: string|null, fact: string|null, hide: string[], min: number, asserted: boolean,
 *   question: string, k: number, from: string, to: string, order: string, tab: string}} State
 */

export const FIRST = 25;
// A term that is opened wider than at first, or that looks as if it were.
const NUMBERED = /^(\d{1,6})~(.+)$/s;
export const TABS = ["graph", "legend", "details", "table", "ask", "path"];

/** @type {State} */
export const EMPTY = Object.freeze({
  open: [],
  gone: [],
  pins: [],
  node: null,
  fact: null,
  hide: [],
  min: 0,
  asserted: false,
  question: "",
  k: FIRST,
  from: "",
  to: "",
  order: "weight",
  tab: "details",
});

/** @param {State} state @returns {string} a query string, empty for the empty state */
export function toAddress(state) {
  const query = new URLSearchParams();
  for (const [term, k] of state.open) query.append("open", k === FIRST && !NUMBERED.test(term) ? term : `${k}~${term}`);
  for (const term of state.gone) query.append("gone", term);
  for (const [term, x, y] of state.pins) query.append("pin", `${Math.round(x)},${Math.round(y)}~${term}`);
  for (const predicate of state.hide) query.append("hide", predicate);
  if (state.node !== null) query.set("node", state.node);
  if (state.fact !== null) query.set("fact", state.fact);
  if (state.min) query.set("min", String(state.min));
  if (state.asserted) query.set("asserted", "1");
  if (state.question) query.set("q", state.question);
  if (state.k !== FIRST) query.set("k", String(state.k));
  if (state.from) query.set("from", state.from);
  if (state.to) query.set("to", state.to);
  if (state.order !== EMPTY.order) query.set("order", state.order);
  if (state.tab !== EMPTY.tab) query.set("tab", state.tab);
  const text = query.toString();
  return text && `?${text}`;
}

/** @param {string} search @param {number} most the largest k @returns {State} */
export function fromAddress(search, most) {
  const query = new URLSearchParams(search);
  const min = Number(query.get("min"));
  return {
    open: query.getAll("open").map((text) => {
      const [, k, term] = text.match(NUMBERED) ?? [null, FIRST, text];
      return [term, Math.max(1, Math.min(most, Number(k)))];
    }),
    gone: query.getAll("gone"),
    pins: query.getAll("pin").flatMap((text) => {
      const [, x, y, term] = text.match(/^(-?\d{1,6}),(-?\d{1,6})~(.+)$/s) ?? [];
      return term ? [[term, Number(x), Number(y)]] : [];
    }),
    node: query.get("node"),
    fact: query.get("fact"),
    hide: query.getAll("hide"),
    min: min > 0 && min <= 1 ? min : 0,
    asserted: query.get("asserted") === "1",
    question: query.get("q") ?? "",
    k: Math.max(1, Math.min(most, Number(query.get("k")) || FIRST)),
    from: query.get("from") ?? "",
    to: query.get("to") ?? "",
    order: query.get("order") === "length" ? "length" : "weight",
    tab: TABS.includes(query.get("tab") ?? "") ? /** @type {string} */ (query.get("tab")) : EMPTY.tab,
  };
}

/** The state with a term open and selected. @param {State} state @returns {State} */
export function opened(state, term) {
  const isOpen = state.open.some(([one]) => one === term);
  const open = isOpen ? state.open : [...state.open, [term, FIRST]];
  return { ...state, open, gone: state.gone.filter((one) => one !== term), node: term, fact: null };
}

/** How many facts of an open term are shown next. @param {number} k those that are shown now */
export const following = (k, most) => Math.min(most, k + Math.max(FIRST, k));

/** The state with more facts of a term that is open. @param {State} state @returns {State} */
export function grown(state, term, most) {
  const open = state.open.map(([one, k]) => (one === term ? [one, following(k, most)] : [one, k]));
  return { ...state, open, node: term, fact: null };
}

/** The state without a term and all that only it brought. @param {State} state */
export function hidden(state, term) {
  return {
    ...state,
    open: state.open.filter(([one]) => one !== term),
    pins: state.pins.filter(([one]) => one !== term),
    gone: [...state.gone.filter((one) => one !== term), term],
    node: state.node === term ? null : state.node,
    fact: null,
  };
}

/** @param {State} state */
export const pinned = (state, term, x, y) => ({
  ...state,
  pins: [...state.pins.filter(([one]) => one !== term), [term, Math.round(x), Math.round(y)]],
});

/** @param {State} state */
export const unpinned = (state, term) => ({ ...state, pins: state.pins.filter(([one]) => one !== term) });
