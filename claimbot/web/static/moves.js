// How does a page move? htmx asks us again, idiomorph puts the answer in place; this is how they behave here.
"use strict";

// What somebody opened stays open, and what they are typing stays as they typed it.
Idiomorph.defaults.ignoreActiveValue = true;
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "open" && element.tagName === "DETAILS");

// A page that nobody sees asks nothing.
document.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && "live" in event.detail.elt.dataset) event.preventDefault();
});

const offline = document.getElementById("offline");

if (offline) {
  const show = (isOffline) => () => {
    offline.hidden = !isOffline;
  };
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, show(true));
  }
  document.addEventListener("htmx:afterOnLoad", show(false));
}
