"use strict";

// ReDoc asks another host for its maker's logo. Such images are refused here, before the browser has to
// report that the page's policy forbids them; ReDoc leaves out an image that fails.
const source = Object.getOwnPropertyDescriptor(HTMLImageElement.prototype, "src");

function setSource(image, address) {
  if (new URL(address, document.baseURI).origin === location.origin) {
    source.set.call(image, address);
  } else {
    queueMicrotask(() => image.dispatchEvent(new Event("error")));
  }
}

Object.defineProperty(HTMLImageElement.prototype, "src", {
  ...source,
  set(address) {
    setSource(this, address);
  },
});

HTMLImageElement.prototype.setAttribute = function (name, value) {
  if (name === "src") {
    setSource(this, value);
  } else {
    Element.prototype.setAttribute.call(this, name, value);
  }
};
