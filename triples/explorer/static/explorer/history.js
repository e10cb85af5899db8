/** The states of the page in the browser's own history: its back button, undo and redo are the same thing. */

import { fromAddress, toAddress } from "./state.js";

const NEWEST = "explorer-newest";

export class History {
  /**
   * @param {number} most the largest k that the service answers
   * @param {(state: import("./state.js").State) => void} onChange called with each state that is to be shown
   */
  constructor(most, onChange) {
    this.onChange = onChange;
    this.most = most;
    this.state = fromAddress(location.search, most);
    this.index = history.state?.index ?? 0;
    this.newest = Math.max(this.index, history.state ? Number(sessionStorage.getItem(NEWEST)) || 0 : 0);
    history.replaceState({ index: this.index }, "");
    window.addEventListener("popstate", (event) => this.#returned(event));
  }

  get canUndo() {
    return this.index > 0;
  }

  get canRedo() {
    return this.index < this.newest;
  }

  undo() {
    if (this.canUndo) history.back();
  }

  redo() {
    if (this.canRedo) history.forward();
  }

  /** Show a new state, which undo leaves again. Nothing happens if it is the state that is shown. */
  push(state) {
    const address = toAddress(state);
    if (address === toAddress(this.state)) return;
    this.newest = this.index += 1;
    sessionStorage.setItem(NEWEST, String(this.newest));
    history.pushState({ index: this.index }, "", location.pathname + address);
    this.#show(state);
  }

  /** Show a state in the place of the one that is shown. */
  replace(state) {
    history.replaceState({ index: this.index }, "", location.pathname + toAddress(state));
    this.#show(state);
  }

  #returned(event) {
    this.index = event.state?.index ?? 0;
    this.#show(fromAddress(location.search, this.most));
  }

  #show(state) {
    this.state = state;
    this.onChange(state);
  }
}
