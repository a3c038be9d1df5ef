// A page of sheets, one for each item: searched, put in order, walked through by keys.

class Sheets {
  // `noun` names an item, `draw` makes its sheet, `guess` its height in pixels, `pathsOf` gives what is searched in,
  // and `orders` has, by the value of its option, how two are compared; null keeps the order of `items`.
  constructor({ noun, items, draw, guess, pathsOf, orders }) {
    this.noun = noun;
    this.items = items;
    this.pathsOf = pathsOf;
    this.orders = orders;
    this.listed = [];
    this.current = -1;
    this.list = new LongList(byId("list"), draw, guess);
    items.forEach((item, index) => { item.index = index; });
    byId("search").addEventListener("input", later(() => this.refresh()));
    byId("order").addEventListener("change", () => this.refresh());
    this.refresh();
  }

  refresh() {
    const text = byId("search").value.trim().toLowerCase();
    this.listed = this.items.filter((item) => !text || this.pathsOf(item).some((path) => path.toLowerCase().includes(text)));
    const order = this.orders[byId("order").value];
    if (order) this.listed.sort(order);
    this.current = -1;
    this.list.show(this.listed, `No such ${this.noun} is listed here`);
    byId("found").textContent = `${counted(this.listed.length, this.noun)} listed`;
    tell(byId("found").textContent);
    note(this.listed.length, this.items.length, this.noun, text ? [`paths with “${text}”`] : []);
  }

  move(step) {
    if (!this.listed.length) return;
    this.current = this.list.placeOf(document.activeElement) ?? this.current;
    this.current = Math.min(this.listed.length - 1, Math.max(0, this.current + step));
    this.list.goTo(this.current);
  }

  // Acts on the item that is highlighted.
  onCurrent(action) {
    const index = this.list.placeOf(document.activeElement);
    if (index === undefined) refuse(`No ${this.noun} is selected: j or k, or a click, selects one`);
    else action(this.listed[index], index);
  }

  get keys() {
    return {
      j: () => this.move(1),
      k: () => this.move(-1),
      "/": () => { byId("search").focus(); byId("search").select(); },
    };
  }
}
