import { followScheme } from "./scheme.js";

// The key is kept as long as the tab is open. Swagger UI itself would keep it for good, for every tab.
const KEY = "skg-api-key";
const SCHEME = "ApiKey";

const container = document.getElementById("swagger-ui");

followScheme((dark) => {
  document.documentElement.classList.toggle("dark-mode", dark);
  container.dataset.scheme = dark ? "dark" : "light";
});

const keepKey = () => ({
  statePlugins: {
    auth: {
      wrapActions: {
        authorize: (authorize) => (given) => {
          if (given[SCHEME]) sessionStorage.setItem(KEY, given[SCHEME].value);
          return authorize(given);
        },
        logout: (logout) => (schemes) => {
          sessionStorage.removeItem(KEY);
          return logout(schemes);
        },
      },
    },
  },
});

// The name of an operation is a link within the button that opens it, which a screen reader cannot tell apart.
const plainNames = () => ({ wrapComponents: { DeepLink: () => ({ text }) => text } });

// What Swagger UI leaves without a name that a screen reader could say.
const NAMES = { ".examples-select-element": "Example", ".body-param__text": "Request body" };

function giveNames() {
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const element of container.querySelectorAll(`${selector}:not([aria-label])`)) {
      element.setAttribute("aria-label", name);
    }
  }
}

new MutationObserver(giveNames).observe(container, { childList: true, subtree: true });

const ui = SwaggerUIBundle({
  url: container.dataset.document,
  domNode: container,
  deepLinking: true,
  displayRequestDuration: true,
  // Only this service's own document is shown, whatever the address of the page says.
  queryConfigEnabled: false,
  validatorUrl: null,
  plugins: [keepKey, plainNames],
  onComplete() {
    const key = sessionStorage.getItem(KEY);
    if (key) ui.preauthorizeApiKey(SCHEME, key);
  },
});
