// Decisions of the live page: the server makes and keeps them; the page says which button was pressed.
let exported = true;
const kept = true;
let version = data.version;
const byNumber = new Map();

// A file as the server tells of it: a new row, or new facts of one that is listed.
function takeRow(fresh) {
  let row = byNumber.get(fresh.at);
  if (row === undefined) {
    row = { index: rows.length + data.decided.length };
    rows.push(row);
    data.present = data.present.filter(([path]) => path !== fresh.path);
  }
  const { index, half, of, flip, pair } = row;
  Object.keys(row).forEach((key) => delete row[key]);
  Object.assign(row, { index, half, of, flip, pair }, fresh);
  remember(row);
  const other = rows[row.half ?? row.of];
  if (other !== undefined && other.pair !== undefined) other.pair = { ...other.pair, verdict: row.verdict };
  return row;
}

// What can be drawn before more is known of the files of a row.
function remember(row) {
  byNumber.set(row.at, row);
  if (row.kind === "image") data.sights[row.at] ??= { picture: row.at, bytes: row.bytes, size: row.size, copy: row.copy };
  if (row.otherAt !== undefined) data.sights[row.otherAt] ??= { picture: row.otherAt };
  if (row.from !== undefined && row.from.at !== undefined) data.sights[row.from.at] ??= { picture: row.from.at };
}

function recall() {
  [...rows, ...data.decided].forEach(remember);
}

const decisionOf = (row) => row.word ?? null;
const isSplit = (row) => row.split === true;

function possible(row) {
  if (row.verdict === "present" && !row.word) return [];
  const hasBoth = row.kind === "image" && row.verdict !== "unreadable" && row.otherAt !== undefined
    && sightOf(row).picture !== undefined && otherOf(row).picture !== undefined;
  return hasBoth ? ["same", "different", "not-wanted"] : ["not-wanted"];
}

function decide(row, decision) {
  if (decision !== null && !possible(row).includes(decision)) {
    tell(`${nameOf(row.path)} cannot be decided so`);
    return;
  }
  if (decision === null && decisionOf(row) === null && !isSplit(row)) {
    tell(`${nameOf(row.path)} is undecided`);
    return;
  }
  const witness = decision === "same" || decision === "different" ? row.otherAt : null;
  send("decide", { needle: row.at, witness, ruling: decision },
    decision === null ? `${nameOf(row.path)}: undecided` : `${nameOf(row.path)}: ${WORDS[decision]}`);
}

// Takes the last split back; only the decision itself makes it again.
function setSplit(row) {
  send("decide", { needle: row.at, witness: null, ruling: null }, `${nameOf(row.path)}: no longer different from another`);
}

function count() {
  const parts = Object.entries(DECISIONS).filter(([word]) => data.decisions[word])
    .map(([word, text]) => `${numbered(data.decisions[word])} ${text.toLowerCase()}`);
  byId("decided").textContent = parts.length ? `Decided and kept: ${parts.join(", ")}` : "No decisions";
  byId("export").disabled = !parts.length;
  byId("undo").disabled = !data.mayUndo;
}

function save() {
  const link = make("a", { href: "decisions.json", download: "decisions.json" });
  document.body.append(link);
  link.click();
  link.remove();
}

