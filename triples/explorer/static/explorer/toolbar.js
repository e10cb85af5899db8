/** Undo and redo, the view, and the export of what is drawn. */

import { byId } from "./dom.js";
import { EMPTY } from "./state.js";

export class Toolbar {
  constructor(history, view, page) {
    this.history = history;
    byId("undo").addEventListener("click", () => history.undo());
    byId("redo").addEventListener("click", () => history.redo());
    byId("clear").addEventListener("click", () => history.push(EMPTY));
    for (const how of ["in", "out", "fit"]) byId(`zoom-${how}`).addEventListener("click", () => view.zoom(how));
    byId("save").addEventListener("change", async (event) => {
      const kind = event.target.value;
      event.target.value = "";
      const { save } = await import("./export.js");
      await save(kind, view, page.scene()).catch((error) => page.tell(error.message));
    });
  }

  /** @param {import("./scene.js").Scene} scene */
  show(scene) {
    byId("undo").disabled = !this.history.canUndo;
    byId("redo").disabled = !this.history.canRedo;
    const empty = scene.nodes.size === 0;
    byId("clear").disabled = empty;
    byId("save").disabled = empty;
  }
}

/** Ctrl+Z and Ctrl+Shift+Z, except where text is written; / goes to the search. */
export function onKeys(history) {
  document.addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, select")) return;
    const command = event.ctrlKey || event.metaKey;
    if (command && event.key.toLowerCase() === "z") {
      event.preventDefault();
      if (event.shiftKey) history.redo();
      else history.undo();
    } else if (event.key === "/" && !command) {
      event.preventDefault();
      byId("search").focus();
    }
  });
}
