"use strict";
// What all pages share: elements made of text, lists that are drawn when they are scrolled to, copying, keys.
// Nothing here makes markup of a string: every name of a file gets onto the screen as text.

const byId = (id) => document.getElementById(id);
const data = JSON.parse(byId("data").textContent);

// An element with attributes and children; a string becomes text, null is left out.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") element.addEventListener("click", value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const numbered = (number) => number.toLocaleString("en");
const counted = (number, noun) => `${numbered(number)} ${noun}${number === 1 ? "" : "s"}`;
const nameOf = (path) => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path) => path.slice(0, Math.max(path.lastIndexOf("/"), path.startsWith("/") ? 1 : 0));
const signOf = (word) => make("span", { "aria-hidden": "true" }, `${data.signs[word]} `);
const badge = (word, text = word) => make("span", { class: `badge ${word.replace(" ", "-")}` }, signOf(word), text);

function tell(text, className = "unseen") {
  byId("status").textContent = text;
  byId("status").className = className;
}

// What is to be seen, too: why a key did nothing.
function refuse(text) {
  tell(text, "refused");
  setTimeout(() => { if (byId("status").textContent === text) byId("status").className = "unseen"; }, 6000);
}

// For paper, on which there is no search and no filter: what is listed.
function note(listed, all, noun, filters) {
  const how = filters.length ? ` (${filters.join("; ")})` : "";
  byId("note").textContent = listed === all ? "" : `Listed here: ${numbered(listed)} of ${counted(all, noun)}${how}.`;
}

window.addEventListener("beforeprint", () => {
  for (const details of document.querySelectorAll("details:not([open])")) {
    details.open = true;
    details.dataset.isForPrint = "";
  }
});
window.addEventListener("afterprint", () => {
  for (const details of document.querySelectorAll("details[data-is-for-print]")) {
    details.open = false;
    delete details.dataset.isForPrint;
  }
});

