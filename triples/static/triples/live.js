/* Follows what changes on the server: while a region of the page is marked data-live="on", the page is fetched again,
   and its regions replace those that are shown. Nothing is fetched while the tab is hidden. */

const FIRST_PAUSE = 1000;
const LAST_PAUSE = 5000;
const FOCUSABLE = "a[href], button, input, summary";

let pause = FIRST_PAUSE;
let timer;
let shown = new Map(regionsOf(document).map((region, place) => [place, region.outerHTML]));

function regionsOf(root) {
  return [...root.querySelectorAll("[data-live]")];
}

function goesOn() {
  return regionsOf(document).some((region) => region.dataset.live === "on");
}

/* Whoever reads a table or is about to press a link keeps it. */
function replace(region, fresh) {
  const open = [...region.querySelectorAll("details")].map((each) => each.open);
  const focused = region.contains(document.activeElement) ? document.activeElement : null;
  const alike = (each) => each.tagName === focused.tagName && each.getAttribute("href") === focused.getAttribute("href");
  region.replaceWith(fresh);
  fresh.querySelectorAll("details").forEach((each, place) => (each.open = open[place] ?? false));
  if (focused) [...fresh.querySelectorAll(FOCUSABLE)].find(alike)?.focus({ preventScroll: true });
}

function say(text) {
  const status = document.querySelector("[data-live-status]");
  if (status && text && status.textContent !== text) status.textContent = text;
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (answer.redirected) return say("You are logged out. Load the page again."), false;
  if (!answer.ok) return true;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = regionsOf(page);
  regionsOf(document).forEach((region, place) => {
    const text = fresh[place]?.outerHTML;
    if (!text || text === shown.get(place)) return;
    shown.set(place, text);
    replace(region, document.adoptNode(fresh[place]));
  });
  say(fresh[0]?.dataset.liveSays);
  return goesOn();
}

function schedule() {
  clearTimeout(timer);
  if (!document.hidden) timer = setTimeout(tick, pause);
}

async function tick() {
  let again = true;
  try {
    again = await refresh();
  } catch {
    // The service restarts, or the network is gone: later, perhaps.
  }
  pause = Math.min(pause * 1.2, LAST_PAUSE);
  if (again) schedule();
  else document.removeEventListener("visibilitychange", onVisibility);
}

function onVisibility() {
  pause = FIRST_PAUSE;
  schedule();
}

if (goesOn()) {
  document.addEventListener("visibilitychange", onVisibility);
  schedule();
}
