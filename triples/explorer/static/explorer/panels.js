/** The panels beside the picture. On a narrow screen the picture and the legend are panels too, one at a time. */

import { byId } from "./dom.js";
import { TABS } from "./state.js";

const NARROW = matchMedia("(max-width: 899px)");

export class Panels {
  /** @param {(tab: string) => void} onTab */
  constructor(onTab) {
    this.tab = "details";
    for (const tab of TABS) byId(`tab-${tab}`).addEventListener("click", () => onTab(tab));
    NARROW.addEventListener("change", () => this.show(this.tab));
  }

  get isNarrow() {
    return NARROW.matches;
  }

  /** @param {string} tab */
  show(tab) {
    this.tab = tab;
    // Picture and legend always stand on a wide screen.
    const shown = !this.isNarrow && (tab === "graph" || tab === "legend") ? "details" : tab;
    for (const one of TABS) {
      byId(`tab-${one}`).setAttribute("aria-pressed", String(one === shown));
      const always = !this.isNarrow && (one === "graph" || one === "legend");
      byId(`panel-${one}`).hidden = one !== shown && !always;
    }
  }
}
