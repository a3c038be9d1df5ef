// The live page: what is asked of the server, and what becomes of its answers.

const PAUSE = 4000;
const MOST_ASKED = 40;
let waiting = Promise.resolve();
let isOver = false;

// Asks the server; an answer that is no success is said, and gives null.
async function ask(address, body) {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(address, options);
  } catch {
    over("The server has ended. What was decided is kept; dupfind review opens it again.");
    return null;
  }
  if (answer.ok) return answer.json();
  const text = await answer.text();
  try {
    refuse(`Not done: ${JSON.parse(text).error}`);
  } catch {
    refuse(`Not done: ${text}`);
  }
  return null;
}

function over(text, isLast = true) {
  isOver = isLast;
  byId("over").textContent = text;
  byId("over").hidden = false;
}

// One after the other, so that each knows what came of the one before.
function send(what, body, text) {
  document.body.setAttribute("aria-busy", "true");
  waiting = waiting.then(async () => {
    const news = isOver ? null : await ask(what, { ...body, version });
    document.body.removeAttribute("aria-busy");
    if (news !== null) {
      take(news);
      tell(text);
    } else if (!isOver) await look(); // such as where another window has decided before
  });
}

// After files were imported or moved away they have other numbers; what came of it is read first.
let isOld = false;
function openAnew() {
  isOld = true;
  if (!byId("act")?.open) location.reload();
}

function look() {
  return ask(`changes?since=${version}`).then((news) => news !== null && take(news));
}

function take(news) {
  if (news.gone) {
    over(`There is nothing left to look at: ${news.gone}. End, or take it back.`, false);
    return;
  }
  if (news.isAnew) {
    openAnew();
    return;
  }
  if (news.version === version) return;
  version = news.version;
  const changedRows = new Set(news.rows.map(takeRow));
  redraw(changedRows);
  takeFolders(news.folders);
  drawAnswer(news.answer);
  data.decisions = news.answer.decisions;
  data.mayUndo = news.answer.mayUndo;
  count();
  recount();
}

function redraw(changedRows) {
  listed.forEach((row, index) => {
    if (!Array.isArray(row) && (changedRows.has(row) || changedRows.has(rows[row.half]))) list.again(index);
  });
}

// A row of which the path alone is told is listed no longer.
function takeFolders(changedFolders) {
  if (!changedFolders.length) return;
  const byPath = new Map(data.folders.map((row) => [row[0], row]));
  changedFolders.forEach((row) => (row.length > 1 ? byPath.set(row[0], row) : byPath.delete(row[0])));
  data.folders = [...byPath.values()].sort(([first], [second]) => (first < second ? -1 : 1));
  const open = new Set([...tree.nodes.values()].filter((node) => node.open).map((node) => node.path));
  const current = tree.current?.path ?? null;
  const fresh = new FolderTree(tree.box, data.folders);
  fresh.nodes.forEach((node) => { node.open = open.has(node.path); });
  tree.nodes = fresh.nodes;
  tree.roots = fresh.roots;
  tree.current = tree.nodes.get(current) ?? null;
  if (tree.matching !== null) tree.match(byId("search").value ? listed.map((row) => folderOf(row.path ?? row[0])) : null);
  tree.draw();
}

const tableRows = (numbers) => numbers.map(([word, number, bytes]) => make("tr", {}, make("th", { scope: "row" }, badge(word)),
  make("td", { class: "number" }, numbered(number)), make("td", { class: "number" }, bytes)));

function drawAnswer(answer) {
  document.querySelector("h1").textContent = answer.headline;
  const [folders, files] = document.querySelectorAll(".tables tbody");
  folders.replaceChildren(...tableRows(answer.folders));
  files.replaceChildren(...tableRows(answer.files));
  const all = Object.values(answer.decisions).reduce((sum, number) => sum + number, 0);
  const { same, different } = answer.words;
  byId("on-word").hidden = !all;
  byId("on-word").replaceChildren(badge("decided"), ` Of ${counted(all, "decision")} that you have made, verdicts rest on your word for `
    + `${counted(same, "file")} as the same picture, ${counted(different, "file")} as different and ${counted(answer.words["not-wanted"], "file")} as not wanted.`);
  byId("next-steps").hidden = !answer.steps.length;
  byId("next-steps").querySelector("ol").replaceChildren(...answer.steps.map(([text, option]) =>
    make("li", {}, text, option ? " " : null, option ? make("code", {}, option) : null)));
}

// The numbers of the filters; one that was not needed until now is made.
function recount() {
  const numbers = { similar: 0, missing: 0, unreadable: 0, decided: 0, present: data.present.length };
  [...rows, ...data.decided].forEach((row) => { numbers[row.word ? "decided" : row.verdict] += 1; });
  for (const [word, number] of Object.entries(numbers)) {
    if (!chosen.has(word) && number) {
      const box = make("input", { type: "checkbox", value: word, checked: word !== "present" });
      box.addEventListener("change", refresh);
      chosen.set(word, box);
      byId("chips").append(make("label", {}, box, make("span", {}, signOf(word), `${word} `, make("span", { class: "dim" }))));
    }
    if (chosen.has(word)) chosen.get(word).parentElement.querySelector(".dim").textContent = numbered(number);
  }
}

// What is known of files beside their verdicts is asked for when they are drawn, some dozens at once.
const asked = new Set();
const askForDetails = later(async () => {
  const drawn = [...asked].slice(-MOST_ASKED);
  drawn.forEach((row) => asked.delete(row));
  if (!drawn.length || isOver) return;
  const details = await ask(`details?era=${data.era}&numbers=${drawn.map((row) => row.at).join(",")}`);
  if (details !== null) {
    for (const { row, sights } of Object.values(details)) {
      Object.assign(data.sights, sights);
      takeRow(row).isKnown = true;
    }
    redraw(new Set(drawn));
  }
  if (asked.size) askForDetails();
});

function want(row) {
  if (row === undefined || Array.isArray(row) || row.isKnown) return;
  asked.add(row);
  askForDetails();
}

const draw = list.draw;
list.draw = (item, index) => {
  want(item);
  want(rows[item.half]);
  const element = draw(item, index);
  if (!Array.isArray(item) && sightOf(item).width) {
    element.querySelector(".actions")?.append(make("button", { type: "button", "data-what": "full", onclick: () => enlarge(item) }, "Full size"));
  }
  return element;
};

// Both pictures at their own size, on top of each other, in a window of their own.
function enlarge(row) {
  if (!sightOf(row).width) {
    refuse(`There is no picture of ${nameOf(row.path)}`);
    return;
  }
  const side = (who, path, at) => ({ who, path, sight: { ...data.sights[at], picture: `full/${at}` } });
  const needle = side("Needle", row.path, row.at);
  const hasBoth = row.otherAt !== undefined && otherOf(row).width && isWhole(row);
  const shown = hasBoth ? stage(needle, { ...side("Haystack", row.other, row.otherAt), turn: row.turn }, 0, () => {})
    : make("div", { class: "compare" }, imageOf(needle.sight.picture, `Needle: ${nameOf(row.path)}`));
  const { width, height } = needle.sight;
  shown.style.maxWidth = "none";
  const fit = () => { shown.style.width = `${Math.round(Math.min(0.95 * document.documentElement.clientWidth - 40, ((innerHeight - 190) * width) / height))}px`; };
  const actual = make("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const isActual = actual.getAttribute("aria-pressed") !== "true";
    actual.setAttribute("aria-pressed", String(isActual));
    if (isActual) shown.style.width = `${width / devicePixelRatio}px`;
    else fit();
  } }, "Actual size");
  fit();
  byId("full-title").textContent = nameOf(row.path);
  byId("full-tools").replaceChildren(actual);
  byId("full-picture").replaceChildren(shown);
  byId("full").showModal();
}

// Import and clean: the plan is shown, and what it says is done when a person says yes to it.
const ACTS = { import: "Import what is missing", clean: "Move away what is contained" };

function showAct(title, text, ...buttons) {
  byId("act-title").textContent = title;
  byId("act-text").textContent = text;
  byId("act-buttons").replaceChildren(...buttons.filter(Boolean));
  if (!byId("act").open) byId("act").showModal();
}

const actButton = (text, onclick) => make("button", { type: "button", onclick }, text);

// A run over all files may take long: the window says so, and nothing else is asked meanwhile.
async function act(title, what, body) {
  showAct(title, "Working. This may take as long as the scan.");
  byId("act").setAttribute("aria-busy", "true");
  const answer = await ask(what, body);
  byId("act").removeAttribute("aria-busy");
  if (answer === null) showAct(title, byId("status").textContent);
  return answer;
}

async function plan(what) {
  const title = ACTS[what];
  const planned = await act(title, "plan", { what });
  if (planned === null) return;
  showAct(title, planned.text, planned.button ? actButton(planned.button, () => carryOut(title, planned.plan)) : null);
}

async function carryOut(title, name) {
  const done = await act(title, "carry-out", { plan: name });
  if (done !== null) showAct(title, done.text, done.mayTakeBack ? actButton("Take it back", () => takeBack()) : null);
}

async function takeBack() {
  const done = await act("Take it back", "take-back", {});
  if (done !== null) showAct("Take it back", done.text, done.mayTakeBack ? actButton("Take back what was before", () => takeBack()) : null);
}

for (const what of Object.keys(ACTS)) byId(`act-${what}`)?.addEventListener("click", () => plan(what));
byId("act")?.addEventListener("keydown", (event) => event.stopPropagation());
byId("act-close")?.addEventListener("click", () => byId("act").close());
byId("act")?.addEventListener("close", () => { if (isOld) location.reload(); });
byId("full").addEventListener("keydown", (event) => event.stopPropagation()); // the list is not what is looked at
byId("full-close").addEventListener("click", () => byId("full").close());
byId("full").addEventListener("close", () => byId("full-picture").replaceChildren());
byId("undo").addEventListener("click", () => send("undo", {}, "The last decision is taken back"));
byId("end").addEventListener("click", async () => {
  if (await ask("end", {})) over("The review has ended. What was decided is kept; this page can be closed.");
});
listenToKeys({ f: () => onCurrent(enlarge) });
setInterval(() => { if (!document.hidden && !isOver) look(); }, PAUSE);
document.addEventListener("visibilitychange", () => { if (!document.hidden && !isOver) look(); });

