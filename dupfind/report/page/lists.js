async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = make("textarea", { "aria-hidden": "true", class: "unseen" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell("The path is copied");
}

const copyButton = (path, text) =>
  make("button", { type: "button", class: "copy", "aria-label": `Copy the path ${path}`, onclick: () => copyText(text) }, "Copy");

// What is to be said of one file below its picture; lines end between these pieces only.
function factsOf(sight) {
  const facts = [];
  if (sight.width) facts.push([`${sight.width} x ${sight.height}`]);
  if (sight.bytes) facts.push([sight.bytes]);
  if (sight.taken) facts.push(`taken ${sight.taken.replace(/^(\d{4}):(\d\d):/, "$1-$2-")}`.split(/ (?=\d\d:)/));
  facts.slice(0, -1).forEach((fact) => { fact[fact.length - 1] += ","; });
  return make("span", { class: "dim facts-of" }, ...facts.flat().flatMap((piece) => [make("span", {}, piece), " "]));
}

// An image with boxes on it, each as [left, top, right, bottom] in percent and what it shows.
function withParts(image, parts) {
  if (!parts.length) return image;
  return make("span", { class: "parts" }, image, ...parts.map(([[left, top, right, bottom], title]) => {
    const box = make("span", { class: "part", title });
    Object.assign(box.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
    return box;
  }));
}

// Plays a film in the place of its frames, where it lies; where the browser cannot, the frames come back.
function play(frame, path, address) {
  const film = make("video", { class: "frame", controls: true, autoplay: true, src: address, "aria-label": nameOf(path) });
  film.addEventListener("error", () => {
    film.replaceWith(frame);
    frame.focus({ preventScroll: true });
    if (!frame.parentNode.querySelector(".unplayed")) {
      frame.after(make("p", { class: "dim unplayed" }, "This browser cannot play it: open the file in a player"));
    }
    tell("This browser cannot play the film");
  });
  frame.replaceWith(film);
  film.focus({ preventScroll: true });
}

// A picture with its facts; `onclick` makes a button of the picture, `parts` are drawn on it.
function figureOf(who, path, sight, onclick = null, head = null, parts = []) {
  let frame;
  if (sight.picture === undefined) {
    frame = make("div", { class: "frame none" }, sight.why ? `No picture: ${sight.why}` : "No picture");
  } else {
    const image = withParts(imageOf(sight.picture, `${who}: ${nameOf(path)}`), parts);
    frame = sight.film
      ? make("button", { type: "button", class: "frame", "aria-label": `Play. ${who}: ${nameOf(path)}`, onclick: () => play(frame, path, sight.film) }, image)
      : onclick
      ? make("button", { type: "button", class: "frame", "aria-label": `Compare. ${who}: ${nameOf(path)}`, onclick }, image)
      : make("div", { class: "frame" }, image);
  }
  const caption = make("figcaption", {},
    head ?? make("span", { class: "who" }, who), " ", factsOf(sight), " ",
    sight.copy === null ? null : make("code", { class: "path" }, path), sight.copy === null ? null : copyButton(path, sight.copy ?? path));
  return make("figure", {}, frame, caption);
}

// A long list in chunks, of which only those near the screen are drawn.
const CHUNK = 20;
class LongList {
  constructor(box, draw, guess) {
    this.box = box;
    this.draw = draw;
    this.guess = guess;
    this.items = [];
    this.chunks = [];
    this.observer = new IntersectionObserver((seen) => seen.forEach((change) => this.seen(change)), { rootMargin: "1500px 0px" });
    window.addEventListener("beforeprint", () => this.chunks.forEach((_, index) => this.fill(index)));
  }

  show(items, nothing) {
    this.observer.disconnect();
    this.items = items;
    this.chunks = [];
    const fragment = document.createDocumentFragment();
    for (let start = 0; start < items.length; start += CHUNK) {
      const chunk = make("div", { class: "chunk" });
      chunk.style.minHeight = `${items.slice(start, start + CHUNK).reduce((sum, item) => sum + this.guess(item), 0)}px`;
      this.chunks.push(chunk);
      fragment.append(chunk);
    }
    if (!items.length) fragment.append(make("p", { class: "nothing" }, nothing));
    this.box.replaceChildren(fragment);
    if (this.chunks.length) this.fill(0);
    this.chunks.forEach((chunk) => this.observer.observe(chunk));
  }

  seen(change) {
    const index = this.chunks.indexOf(change.target);
    if (index < 0) return;
    if (change.isIntersecting) this.fill(index);
    else if (change.target.firstChild && !change.target.contains(document.activeElement)) {
      change.target.style.minHeight = `${change.target.offsetHeight}px`;
      change.target.replaceChildren();
    }
  }

  fill(index) {
    const chunk = this.chunks[index];
    if (chunk.firstChild) return;
    const start = index * CHUNK;
    chunk.append(...this.items.slice(start, start + CHUNK).map((item, place) => this.draw(item, start + place)));
    chunk.style.minHeight = "";
  }

  // The element of one item, drawn if it is not yet.
  at(index) {
    const chunk = Math.floor(index / CHUNK);
    this.fill(chunk);
    return this.chunks[chunk].children[index % CHUNK];
  }

  // Draws one item afresh where it is drawn at all.
  again(index) {
    const old = this.chunks[Math.floor(index / CHUNK)]?.children[index % CHUNK];
    if (!old) return;
    const hadFocus = old.contains(document.activeElement);
    const label = document.activeElement?.dataset?.what;
    const inHalf = document.activeElement?.closest?.(".half"); // the second of two files on one sheet
    const fresh = this.draw(this.items[index], index);
    old.replaceWith(fresh);
    const part = (inHalf && fresh.querySelector(".half")) ?? fresh;
    if (hadFocus) (part.querySelector(label ? `[data-what="${label}"]` : "none") ?? part).focus({ preventScroll: true });
  }

  // Which item an element belongs to; undefined for one outside the list.
  placeOf(element) {
    const chunk = element?.closest?.(".chunk");
    const index = this.chunks.indexOf(chunk);
    if (index < 0) return undefined;
    return index * CHUNK + [...chunk.children].findIndex((item) => item.contains(element));
  }

  goTo(index) {
    const element = this.at(index);
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "start" });
  }
}

// Waits for a pause in the typing.
function later(action) {
  let timer = 0;
  return () => { clearTimeout(timer); timer = setTimeout(action, 120); };
}

// Keys that are pressed while nothing is typed; `actions` by the key's name.
function listenToKeys(actions) {
  const help = byId("help");
  const open = () => { if (!help.open) help.showModal(); };
  byId("help-open").addEventListener("click", open);
  byId("help-close").addEventListener("click", () => help.close());
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || help.open || !byId("keys").checked) return;
    const target = event.target;
    if (target.matches("input:not([type=checkbox]), select, textarea")) {
      if (event.key === "Escape") target.blur();
      return;
    }
    if (event.key === " " && target.matches("button, a, summary, input")) return;
    const action = event.key === "?" ? open : actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
