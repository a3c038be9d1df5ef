// The picture from which a person has split this file; apart from the pair, about which the buttons decide.
function splitFigure(row) {
  if (row.from === undefined) return null;
  return make("div", { class: "pair apart" }, figureOf("Different, on your word", row.from.path, data.sights[row.from.at] ?? NONE));
}

// Whether the two pictures can be laid on each other: not where only a part of them is the same.
const isWhole = (row) => row.parts === undefined || row.parts.whole;

// What the two pictures have in common, to be drawn on each.
function partsOf(row) {
  if (isWhole(row)) return [[], []];
  const { ours, theirs, more } = row.parts;
  const isPart = ([box]) => box.some((side, place) => Math.abs(side - (place < 2 ? 0 : 100)) > 3);
  const shows = [[ours, `Shows ${row.other}`], ...more.map(([path, ...box]) => [box, `Shows ${path}`])];
  return [shows.filter(isPart), [[theirs, `Shown by ${row.path}`]].filter(isPart)];
}

// One file.
function card(row, index) {
  const sight = sightOf(row);
  const decision = decisionOf(row);
  const id = `file-${row.index}`;
  const title = make("h3", { id }, nameOf(row.path));
  const folder = folderOf(row.path);
  const place = tree.nodes.has(folder)
    ? make("a", { href: `#folder=${encodeURIComponent(folder)}` }, folder)
    : make("span", { class: "dim" }, folder);
  const split = row.split === undefined ? null : badge("decided", isSplit(row) ? "decided: different from another" : "taken back");
  const state = decision ? badge("decided", `decided: ${WORDS[decision]}`) : row.word ? badge("decided", "taken back") : split;
  const head = make("header", {}, badge(row.verdict), title, state, make("div", { class: "folder" }, place));
  const both = sight.picture !== undefined && row.other !== undefined && otherOf(row).picture !== undefined && isWhole(row);
  const compare = both ? () => { row.flip = row.flip === undefined ? 0 : undefined; list.again(index); } : null;
  const shown = row.flip !== undefined && both ? stage({ who: "Needle", path: row.path, sight },
    { who: "Haystack", path: row.other, sight: otherOf(row), turn: row.turn }, row.flip, (value) => { row.flip = value; }) : null;
  const [ours, theirs] = partsOf(row);
  const figures = [figureOf("Needle", row.path, { bytes: row.bytes, ...sight }, compare, null, ours)];
  if (row.other !== undefined) {
    figures.push(figureOf(row.evidence ? "Haystack" : "Nearest in the haystack", row.other, otherOf(row), compare, null, theirs));
  }
  const isSeen = row.word ? sight.picture !== undefined : row.kind === "image" || row.other !== undefined;
  const body = isSeen ? make("div", { class: "pair" }, ...figures) : plain(row, sight);
  return make("article", { class: "card", tabindex: "-1", "aria-labelledby": id }, head, shown, body,
    make("p", { class: "why" }, why(row)), actions(row, decision, compare), splitFigure(row), halfOf(row, index));
}

// The other half of a pair, RAW and JPEG or a Live Photo: on the same sheet, with its own verdict and its own decision.
function halfOf(row, index) {
  if (row.half === undefined) return null;
  const half = card(rows[row.half], index);
  half.classList.add("half");
  return half;
}

const plain = (row, sight) => make("p", {}, `${row.bytes} `, make("code", {}, row.path), " ", copyButton(row.path, sight.copy ?? row.path));

function why(row) {
  const parts = [];
  const apart = `${counted(row.bits ?? 0, "bit")} of 64 apart`;
  const score = row.bits === undefined ? "" : `, score ${(1 - row.bits / 64).toFixed(2)}`;
  const how = row.kind === "other" || row.parts ? "" : `: ${apart}${score}`; // of whole pictures only
  if (row.evidence && !row.word) parts.push(`${LIKENESS[row.evidence]} the haystack's${how}.`);
  else if (row.kind === "other" && !row.word) parts.push("No file of the haystack has the same bytes.");
  if (row.reason) parts.push(`${row.reason}.`);
  if (row.pair) parts.push(`${row.pair.kind}: the other half, ${row.pair.name}, is ${row.pair.verdict}.`);
  if (!row.evidence && row.other !== undefined && !row.word) parts.push(`The nearest is ${apart}${score}, and is refused: ${row.why}.`);
  return parts.map((part) => part[0].toUpperCase() + part.slice(1)).join(" ");
}

function actions(row, decision, compare) {
  const can = possible(row);
  const buttons = can.map((ruling) => make("button", {
    type: "button", "data-what": ruling, "aria-pressed": String(decision === ruling),
    onclick: () => decide(row, decision === ruling ? null : ruling),
  }, DECISIONS[ruling]));
  if (row.split !== undefined && decision !== "different") {
    const pressed = isSplit(row);
    buttons.push(make("button", {
      type: "button", "data-what": "split", "aria-pressed": String(pressed), onclick: () => setSplit(row, !pressed),
    }, "Different from another"));
  }
  if (compare) {
    const open = row.flip !== undefined;
    buttons.push(make("button", { type: "button", "data-what": "compare", "aria-expanded": String(open), onclick: compare }, open ? "Side by side" : "Compare"));
  }
  if (!buttons.length && !row.word) return make("p", { class: "dim" }, "It cannot be decided here: the page holds no digest of it.");
  return make("div", { class: "actions", role: "group", "aria-label": `Decide on ${nameOf(row.path)}` }, ...buttons);
}

function line([path, bytes, grade, witness, bits]) {
  const apart = bits ? `, ${counted(bits, "bit")} apart` : "";
  return make("div", { class: "line", tabindex: "-1" }, badge("present"), " ", make("code", {}, path), ` ${bytes} `,
    make("span", { class: "dim" }, `${LIKENESS[grade].toLowerCase()} `, make("code", {}, witness), apart));
}

// What is listed.
const list = new LongList(byId("list"), (item, index) => (Array.isArray(item) ? line(item) : card(item, index)), guess);
const tree = new FolderTree(byId("tree"), data.folders);
const chosen = new Map();
let listed = [];
let current = -1;

function guess(item) {
  if (Array.isArray(item)) return 40;
  if (item.word ? sightOf(item).picture === undefined : item.kind !== "image") return 160;
  const height = sightOf(item).picture === undefined && item.other === undefined ? 300 : 430;
  return item.half === undefined ? height : 2 * height;
}

const ORDERS = {
  doubt: null,
  path: (first, second) => (first.path < second.path ? -1 : Number(first.path > second.path)),
  size: (first, second) => second.size - first.size,
  bits: (first, second) => (first.bits ?? 65) - (second.bits ?? 65),
};

function refresh() {
  const text = byId("search").value.trim().toLowerCase();
  const folder = tree.current === null ? null : `${tree.current.path.replace(/\/$/, "")}/`;
  const has = (path, other) => (!text || path.toLowerCase().includes(text) || (other ?? "").toLowerCase().includes(text)) && (folder === null || path.startsWith(folder));
  const wanted = (word) => chosen.get(word)?.checked ?? false;
  listed = [...rows, ...data.decided].filter((row) => wanted(row.word ? "decided" : row.verdict) && has(row.path, row.other));
  const whole = new Set(listed);
  listed = listed.filter((row) => row.of === undefined || !whole.has(rows[row.of])); // on the sheet of the other half
  if (ORDERS[byId("order").value]) listed.sort(ORDERS[byId("order").value]);
  const here = wanted("present") ? data.present.filter(([path, , , witness]) => has(path, witness)) : [];
  tree.match(text ? [...listed.map((row) => folderOf(row.path)), ...here.map(([path]) => folderOf(path)),
    ...data.folders.map(([path]) => path).filter((path) => path.toLowerCase().includes(text))] : null);
  listed = listed.concat(here);
  tree.draw();
  current = -1;
  const hint = data.present.length ? " Tick “present” for a list." : "";
  list.show(listed, data.nothing && !text && !wanted("present") ? `${data.nothing}.${hint}` : "No such file is listed here");
  byId("found").textContent = `${counted(listed.length, "file")} listed`;
  const filters = [[...chosen.keys()].filter(wanted).join(", "), ...(text ? [`paths with “${text}”`] : []), ...(folder ? [`in ${tree.current.path}`] : [])];
  note(listed.length, rows.length + data.decided.length + data.present.length, "file", filters);
  tell(`${counted(listed.length, "file")} listed`);
}

function chips() {
  const numbers = { similar: 0, missing: 0, unreadable: 0, decided: data.decided.length, present: data.present.length };
  rows.forEach((row) => { numbers[row.verdict] += 1; });
  for (const [word, number] of Object.entries(numbers)) {
    if (!number) continue;
    const box = make("input", { type: "checkbox", value: word, checked: word !== "present" });
    box.addEventListener("change", refresh);
    chosen.set(word, box);
    byId("chips").append(make("label", {}, box, make("span", {}, signOf(word), `${word} `, make("span", { class: "dim" }, numbered(number)))));
  }
}

function fromAddress() {
  const named = /^#folder=(.*)$/.exec(location.hash);
  let path = null;
  try {
    path = named ? decodeURIComponent(named[1]) : null;
  } catch {
    path = null;
  }
  const node = tree.select(path);
  byId("where").hidden = node === null;
  byId("folder").textContent = node === null ? "" : node.path;
  refresh();
  if (node !== null) byId("list").scrollIntoView({ block: "start" });
}

function move(step) {
  if (!listed.length) return;
  current = list.placeOf(document.activeElement) ?? current;
  current = Math.min(listed.length - 1, Math.max(0, current + step));
  tell("");
  list.goTo(current);
}

// Whether enough of an element is on the screen to be judged: below the bar, where that stays on top.
function isSeen(element) {
  const box = element.getBoundingClientRect();
  const top = Math.max(0, byId("search").closest(".bar").getBoundingClientRect().bottom);
  return Math.min(box.bottom, innerHeight) - Math.max(box.top, top) >= Math.min(box.height, 100);
}

// Acts on the file that is highlighted, and on no other: a person decides about what can be seen.
function onCurrent(action) {
  const index = list.placeOf(document.activeElement);
  if (index === undefined) {
    refuse("No file is selected: j or k, or a click, selects one");
    return;
  }
  current = index;
  const half = document.activeElement.closest(".half");
  const row = half ? rows[listed[index].half] : listed[index];
  if (Array.isArray(row)) refuse(`${nameOf(row[0])} is present: there is nothing to decide`);
  else if (!isSeen(half ?? list.at(index))) refuse(`${nameOf(row.path)} is selected, but not on the screen: j or k goes on from there`);
  else {
    if (!half) list.goTo(index);
    action(row, half ?? list.at(index));
  }
}

function flip(row, element) {
  const button = element.querySelector("[data-what=flip]") ?? element.querySelector("[data-what=compare]");
  if (button) button.click();
}

