/** Small helpers to make elements. Texts are set as text, never as HTML. */

/**
 * An element with its attributes and children. `on…` are listeners; true and false make an attribute present or absent.
 * @param {string} tag
 * @param {Object<string, any>} [attributes]
 * @param {...(Node|string|number|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** @param {string} text a term, in its own direction */
export const bdi = (text, attributes = {}) => h("bdi", attributes, visible(text));

/** @param {string} label @param {() => void} action @param {Object<string, any>} [attributes] */
export const button = (label, action, attributes = {}) =>
  h("button", { type: "button", onclick: action, ...attributes }, label);

/** @param {string} id @returns {any} */
export const byId = (id) => document.getElementById(id);

/** Controls, marks of direction and characters without width, written as \uXXXX: no term changes the text around it. */
export function visible(text) {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Replace the children of an element, and keep the focus on the element that has the same `data-key`. */
export function fill(element, ...children) {
  const focused = element.contains(document.activeElement) ? document.activeElement : null;
  const key = focused?.getAttribute("data-key");
  element.replaceChildren(...children.filter((child) => child !== null && child !== false && child !== undefined));
  if (!focused) return;
  const again = key ? [...element.querySelectorAll("[data-key]")].find((one) => one.dataset.key === key) : null;
  if (again) again.focus();
  else if (!element.contains(document.activeElement) && element.tabIndex >= -1) element.focus({ preventScroll: true });
}
