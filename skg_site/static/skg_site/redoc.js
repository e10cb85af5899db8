import { followScheme } from "./scheme.js";

const container = document.getElementById("redoc");

const LIGHT = {
  colors: {
    primary: { main: "#3b4fa8" },
    success: { main: "#17774d" },
    text: { primary: "#22283a", secondary: "#565e75" },
    http: { get: "#17774d", post: "#1d66ad", patch: "#8a5a00", delete: "#b3261e" },
  },
  typography: { code: { color: "#9c2121", backgroundColor: "#f3f4fa" } },
  sidebar: { backgroundColor: "#f3f4fa", textColor: "#22283a" },
  rightPanel: { backgroundColor: "#1b2030" },
};
const DARK = {
  colors: {
    primary: { main: "#a9b6ff" },
    success: { main: "#6fd79a" },
    error: { main: "#ff9a9a" },
    warning: { main: "#f0c060" },
    text: { primary: "#e6e8f0", secondary: "#a6adc4" },
    border: { dark: "#363c52", light: "#262a3a" },
    responses: {
      success: { color: "#6fd79a", backgroundColor: "#12251b" },
      error: { color: "#ff9a9a", backgroundColor: "#2b1717" },
      redirect: { color: "#f0c060", backgroundColor: "#2b2413" },
      info: { color: "#a9b6ff", backgroundColor: "#1b2030" },
    },
    http: LIGHT.colors.http,
  },
  schema: {
    nestedBackground: "#1b1e2b",
    linesColor: "#6b7494",
    typeNameColor: "#a6adc4",
    typeTitleColor: "#a6adc4",
    requireLabelColor: "#ff9a9a",
  },
  typography: { code: { color: "#f0b8b8", backgroundColor: "#262a3a" } },
  sidebar: { backgroundColor: "#1b1e2b", textColor: "#e6e8f0", activeTextColor: "#a9b6ff" },
  rightPanel: { backgroundColor: "#1b2030" },
};

const found = await fetch(container.dataset.document);
const description = await found.json();
let next = Promise.resolve();

// It cannot change its colours: it is drawn again.
followScheme((dark) => {
  next = next.then(() => {
    const place = container.appendChild(document.createElement("div"));
    place.previousElementSibling?.remove();
    container.dataset.scheme = dark ? "dark" : "light";
    return Redoc.init(description, { theme: dark ? DARK : LIGHT, hideDownloadButton: true }, place);
  });
});
