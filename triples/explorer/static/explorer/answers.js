/** Answers of the service that the state needs. Each is asked for once, so undo and redo ask nothing. */

import { readQuestion } from "./api.js";

export class Answers {
  /** @param {import("./api.js").Api} api */
  constructor(api) {
    this.api = api;
    /** @type {Map<string, {k: number, answer: import("./api.js").Neighbours}>} */
    this.neighbours = new Map();
    this.questions = new Map();
    this.found = new Map();
  }

  /**
   * Ask for what the state needs and is not there: one request for each term that is opened.
   * @param {import("./state.js").State} state @param {AbortSignal} signal
   * @returns {Promise<Error[]>} what failed
   */
  async load(state, signal) {
    const work = state.open.map(([term, k]) => this.#open(term, k, signal));
    if (state.question) work.push(this.#ask(state.question, state.k, signal));
    if (state.from && state.to) work.push(this.#path(state, signal));
    const ended = await Promise.allSettled(work);
    return ended.flatMap((one) => (one.status === "rejected" ? [one.reason] : []));
  }

  question(state) {
    return this.questions.get(`${state.k} ${state.question}`);
  }

  paths(state) {
    return this.found.get(pathKey(state));
  }

  /** Forget what failed or is old, so that it is asked for again. */
  forget(state) {
    this.questions.delete(`${state.k} ${state.question}`);
    this.found.delete(pathKey(state));
  }

  async #open(term, k, signal) {
    const known = this.neighbours.get(term);
    if (known && (known.k >= k || known.answer.facts.length < known.k)) return;
    this.neighbours.set(term, { k, answer: await this.api.neighbours(term, k, signal) });
  }

  async #ask(text, k, signal) {
    const key = `${k} ${text}`;
    if (this.questions.has(key)) return;
    const read = await readQuestion(text, k, signal);
    const answer = await this.api.patterns(read.document, signal);
    this.questions.set(key, { ...read, answer });
  }

  async #path(state, signal) {
    const key = pathKey(state);
    if (this.found.has(key)) return;
    const body = { from: state.from, to: state.to, order: state.order, max_length: 6, k: 1 };
    this.found.set(key, await this.api.paths(body, signal));
  }
}

const pathKey = (state) => JSON.stringify([state.from, state.to, state.order]);
