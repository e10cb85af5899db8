/* Shows what a rule would derive while it is being written. A keystroke ends the request before it, and the service
  then stops working on that one. */

// Whoever writes pauses for longer between two thoughts than between two letters.
const PAUSE = 700;
const WRITTEN = ["body", "head"];

const form = document.getElementById("rule_form");
const shown = form?.querySelector("[data-rule-preview]");
const section = shown?.closest("section");
const state = form?.querySelector("[data-rule-preview-state]");

let timer;
let asked = new AbortController();
let before = shown && content();

function content() {
  const data = new FormData(form);
  data.delete("description");
  data.delete("enabled");
  data.set("_preview", "alone");
  return new URLSearchParams(data).toString();
}

function say(text) {
  state.textContent = text;
}

async function ask(body) {
  asked = new AbortController();
  section.setAttribute("aria-busy", "true");
  say("Working it out …");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(body),
      signal: asked.signal,
      redirect: "error",
    });
    if (!answer.ok) throw new Error(answer.status);
    shown.innerHTML = await answer.text();
    say("");
  } catch (error) {
    if (error.name === "AbortError") return;
    say("The preview cannot be fetched. Load the page again if this stays so.");
  }
  section.removeAttribute("aria-busy");
}

function stop() {
  clearTimeout(timer);
  asked.abort();
  section.removeAttribute("aria-busy");
  say("");
}

function isWritten() {
  return WRITTEN.every((name) => form.elements[name].value.trim());
}

function change() {
  const now = content();
  if (now === before) return;
  before = now;
  stop();
  if (isWritten()) timer = setTimeout(ask, PAUSE, now);
}

if (shown) {
  form.addEventListener("input", change);
  // The page that follows has a preview of its own, which another request would end.
  form.addEventListener("submit", stop);
  // An example is in the fields already. A stored rule is too, but whoever opens one need not want to change it.
  if (form.elements.name && isWritten() && !section.querySelector("code, li")) ask(before);
}
