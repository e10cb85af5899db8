/* Whether the page is to be dark now: as the button in its header says, else as the browser does. */

const prefersDark = matchMedia("(prefers-color-scheme: dark)");

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme === "dark" || (theme !== "light" && prefersDark.matches);
}

/* Calls `show` with the answer, now and at each change. */
export function followScheme(show) {
  let shown;
  const look = () => {
    if (shown !== isDark()) show((shown = isDark()));
  };
  new MutationObserver(look).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  prefersDark.addEventListener("change", look);
  look();
}
