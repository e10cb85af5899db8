/** How the page reads the graph: with the session of the admin or, without one, with a key that is typed in. */

import { Api } from "./api.js";
import { byId } from "./dom.js";

/**
 * Calls `onApi` as soon as there is a way to read. A key is kept in memory only: reloading the page forgets it.
 * @param {{onApi: (api: Api|null) => void, onWait: (seconds: number) => void}} page
 */
export function findAccess({ onApi, onWait }) {
  const { csrf, session } = document.body.dataset;
  const form = byId("key-form");
  const input = byId("key");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const api = Api.ofKey(input.value.trim(), onWait);
    byId("key-fault").textContent = "";
    try {
      // The cheapest read there is: it shows whether the key works before anything is drawn.
      await api.triples({ limit: 1 });
    } catch (error) {
      byId("key-fault").textContent = error.message;
      input.setAttribute("aria-invalid", "true");
      input.focus();
      return;
    }
    input.value = "";
    input.removeAttribute("aria-invalid");
    byId("forget-key").hidden = false;
    onApi(api);
  });
  byId("forget-key").addEventListener("click", () => {
    byId("forget-key").hidden = true;
    onApi(null);
  });
  onApi(session === "yes" ? Api.ofSession(csrf, onWait) : null);
}
