// The tree of folders: a node is made when the folder around it is opened.

const MOST_SIBLINGS = 300;

class FolderTree {
  constructor(box, rows) {
    this.box = box;
    this.nodes = new Map();
    this.roots = [];
    for (const [path, state, present, similar, missing, unreadable, skipped, size, bytes, decided] of rows) {
      const parent = this.around(path);
      const node = { path, state, present, similar, missing, unreadable, skipped, size, bytes, decided, parent, children: [] };
      node.name = parent ? path.slice(parent.path.length).replace(/^\/+/, "") : path;
      node.open = !parent;
      (parent ? parent.children : this.roots).push(node);
      this.nodes.set(path, node);
    }
    this.order = "path";
    this.verdict = "";
    this.matching = null;
    this.current = null;
  }

  // The innermost folder of the list around a path.
  around(path) {
    for (let folder = folderOf(path); folder; folder = folderOf(folder)) {
      const node = this.nodes.get(folder);
      if (node && node.path !== path) return node;
      if (folder === "/") break;
    }
    return null;
  }

  // Every folder at or above one of these paths counts as matching; null for all.
  match(paths) {
    this.matching = null;
    if (paths === null) return;
    this.matching = new Set();
    for (const path of paths) {
      for (let node = this.nodes.get(path) ?? this.around(path); node && !this.matching.has(node); node = node.parent) this.matching.add(node);
    }
  }

  isShown(node) {
    if (this.matching && !this.matching.has(node)) return false;
    return !this.verdict || node.state === this.verdict || node.children.some((child) => this.isShown(child));
  }

  sorted(nodes) {
    const shown = nodes.filter((node) => this.isShown(node));
    if (this.order === "missing") shown.sort((first, second) => second.missing - first.missing);
    if (this.order === "size") shown.sort((first, second) => second.size - first.size);
    return shown;
  }

  draw() {
    this.fill(this.box, this.roots);
    if (!this.box.firstChild) this.box.append(make("li", { class: "dim" }, "No such folder"));
  }

  fill(list, nodes, most = MOST_SIBLINGS) {
    const shown = this.sorted(nodes);
    const items = shown.slice(0, most).map((node) => this.item(node));
    if (shown.length > most) {
      const more = () => this.fill(list, nodes, most + 10 * MOST_SIBLINGS);
      items.push(make("li", {}, make("button", { type: "button", onclick: more }, `${counted(shown.length - most, "folder")} more`)));
    }
    list.replaceChildren(...items);
  }

  item(node) {
    const inner = make("ul");
    const item = make("li", {});
    let toggle = make("span");
    if (node.children.length) {
      toggle = make("button", { type: "button", "aria-label": `Folders in ${node.name}` });
      const set = (open) => {
        node.open = open;
        toggle.setAttribute("aria-expanded", String(open));
        toggle.textContent = open ? "▾" : "▸";
        if (open) this.fill(inner, node.children);
        inner.hidden = !open;
      };
      toggle.addEventListener("click", () => set(!node.open));
      set(node.open);
    }
    const link = make("a", { href: `#folder=${encodeURIComponent(node.path)}`, "aria-current": node === this.current ? "true" : null }, node.name);
    item.append(make("div", { class: "node" }, toggle, link, badge(node.state), make("span", { class: "counts" }, this.counts(node))));
    if (node.children.length) item.append(inner);
    return item;
  }

  counts(node) {
    const parts = [["missing", node.missing], ["similar", node.similar], ["unreadable", node.unreadable], ["skipped", node.skipped], ["on your word", node.decided]]
      .filter(([, number]) => number).map(([word, number]) => `${numbered(number)} ${word}`);
    const left = node.size ? [`${node.bytes} not there`] : [];
    return [`${numbered(node.present)} present`, ...parts, ...left].join(", ");
  }

  // Opens all folders around one, which becomes the current one.
  select(path) {
    this.current = path === null ? null : this.nodes.get(path) ?? null;
    for (let node = this.current?.parent; node; node = node.parent) node.open = true;
    this.draw();
    return this.current;
  }
}
