// Decisions: by the needle's digest where they are about it alone or prove it, by both digests where they split a pair.
const KEPT = `dupfind ${data.id}`;
const decisions = new Map();
let exported = true;
let kept = true;

const keyOf = (decision) => (decision.decision === "different" ? `${decision.needle.digest} ${decision.witness.digest}` : decision.needle.digest);

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...decisions.values()]));
  } catch {
    kept = false; // a browser that keeps nothing for a file: leaving the page asks first
  }
}

function recall() {
  let recalled = data.given;
  try {
    recalled = JSON.parse(localStorage.getItem(KEPT)) ?? data.given;
  } catch {
    recalled = data.given;
  }
  recalled.forEach((decision) => decisions.set(keyOf(decision), decision));
}

const needleOf = (row) => row.digest ?? sightOf(row).digest;
const witnessOf = (row) => otherOf(row).digest;

function decisionOf(row) {
  const needle = needleOf(row);
  if (needle === undefined) return null;
  if (decisions.has(`${needle} ${witnessOf(row)}`)) return "different";
  const made = decisions.get(needle);
  if (!made) return null;
  return made.decision === "same" && made.witness.digest !== (row.witness ?? witnessOf(row)) ? null : made.decision;
}

function possible(row) {
  if (row.word) return [row.word];
  if (needleOf(row) === undefined) return [];
  // What was not seen on both sides, such as a witness on a drive that is unplugged, cannot be called the same.
  const isShown = witnessOf(row) !== undefined && otherOf(row).picture !== undefined;
  const hasBoth = row.verdict !== "unreadable" && sightOf(row).picture !== undefined && isShown;
  return hasBoth ? ["same", "different", "not-wanted"] : ["not-wanted"];
}

// The decisions that had split this file from a witness when the scan was made.
const splitsOf = (row) => data.given.filter((decision) => decision.decision === "different" && decision.needle.digest === row.split);
const isSplit = (row) => row.split !== undefined && splitsOf(row).some((decision) => decisions.has(keyOf(decision)));

// Takes back those, or takes them up again.
function setSplit(row, isWanted) {
  splitsOf(row).forEach((decision) => (isWanted ? decisions.set(keyOf(decision), decision) : decisions.delete(keyOf(decision))));
  changed(row.split, `${nameOf(row.path)}: ${isWanted ? "different from another" : "no longer different from another"}`);
}

function decide(row, decision) {
  const needle = needleOf(row);
  if (decision !== null && !possible(row).includes(decision)) {
    tell(`${nameOf(row.path)} cannot be decided so`);
    return;
  }
  decisions.delete(needle);
  decisions.delete(`${needle} ${witnessOf(row)}`);
  if (decision !== null && row.word) {
    const before = data.given.find((given) => given.needle.digest === needle && given.decision === decision);
    decisions.set(keyOf(before), before);
  } else if (decision !== null) {
    const side = (path, sight) => ({ digest: sight.digest, size_bytes: sight.size, path });
    const made = {
      decision,
      needle: side(row.path, sightOf(row)),
      witness: decision === "not-wanted" ? null : side(row.other, otherOf(row)),
      evidence: row.evidence ?? null,
      distance_bits: row.bits ?? null,
      decided: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    decisions.set(keyOf(made), made);
  }
  changed(needle, decision === null ? `${nameOf(row.path)}: undecided` : `${nameOf(row.path)}: ${WORDS[decision]}`);
}

function changed(needle, text) {
  exported = false;
  keep();
  listed.forEach((row, index) => { if (!Array.isArray(row) && [row, rows[row.half] ?? row].some((sheet) => (sheet.split ?? needleOf(sheet)) === needle)) list.again(index); });
  count();
  tell(text);
}

function count() {
  const numbers = { same: 0, different: 0, "not-wanted": 0 };
  decisions.forEach((decision) => { numbers[decision.decision] += 1; });
  const parts = Object.entries(numbers).filter(([, number]) => number).map(([word, number]) => `${numbered(number)} ${DECISIONS[word].toLowerCase()}`);
  byId("decided").textContent = parts.length ? `Decided: ${parts.join(", ")}` : "No decisions";
  byId("export").disabled = !decisions.size && exported;
}

function save() {
  const whole = { schema: "dupfind.decisions/1", digest: "blake3", decisions: [...decisions.values()] };
  const address = URL.createObjectURL(new Blob([`${JSON.stringify(whole, null, 1)}\n`], { type: "application/json" }));
  const link = make("a", { href: address, download: "decisions.json" });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
  exported = true;
  count();
  tell("decisions.json is saved; pass it to the same scan with --decisions");
}

