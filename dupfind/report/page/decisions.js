// Decisions: by the needle's digest where they are about it alone or prove it, by both digests where they part a pair.
const KEPT = `dupfind ${data.id}`;
const decisions = new Map();
let exported = true;
let kept = true;

const keyOf = (one) => (one.decision === "different" ? `${one.needle.digest} ${one.witness.digest}` : one.needle.digest);

function keep() {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...decisions.values()]));
  } catch {
    kept = false; // a browser that keeps nothing for a file: leaving the page asks first
  }
}

function recall() {
  let found = data.given;
  try {
    found = JSON.parse(localStorage.getItem(KEPT)) ?? data.given;
  } catch {
    found = data.given;
  }
  found.forEach((one) => decisions.set(keyOf(one), one));
}

const needleOf = (row) => row.digest ?? sightOf(row).digest;
const witnessOf = (row) => otherOf(row).digest;

function decisionOf(row) {
  const needle = needleOf(row);
  if (needle === undefined) return null;
  if (decisions.has(`${needle} ${witnessOf(row)}`)) return "different";
  const found = decisions.get(needle);
  if (!found) return null;
  return found.decision === "same" && found.witness.digest !== (row.witness ?? witnessOf(row)) ? null : found.decision;
}

function possible(row) {
  if (row.word) return [row.word];
  if (needleOf(row) === undefined) return [];
  // What was not seen on both sides, such as a witness on a drive that is unplugged, cannot be called the same.
  const isShown = witnessOf(row) !== undefined && otherOf(row).picture !== undefined;
  const hasBoth = row.verdict !== "unreadable" && sightOf(row).picture !== undefined && isShown;
  return hasBoth ? ["same", "different", "not-wanted"] : ["not-wanted"];
}

// The pairs that this file was parted of in the decisions that the scan went by.
const partedOf = (row) => data.given.filter((one) => one.decision === "different" && one.needle.digest === row.parted);
const isParted = (row) => row.parted !== undefined && partedOf(row).some((one) => decisions.has(keyOf(one)));

// Takes back those, or takes them up again.
function part(row, isWanted) {
  partedOf(row).forEach((one) => (isWanted ? decisions.set(keyOf(one), one) : decisions.delete(keyOf(one))));
  changed(row.parted, `${nameOf(row.path)}: ${isWanted ? "different from what was parted" : "no longer different from what was parted"}`);
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
    const before = data.given.find((one) => one.needle.digest === needle && one.decision === decision);
    decisions.set(keyOf(before), before);
  } else if (decision !== null) {
    const side = (path, sight) => ({ digest: sight.digest, size_bytes: sight.size, path });
    const one = {
      decision,
      needle: side(row.path, sightOf(row)),
      witness: decision === "not-wanted" ? null : side(row.other, otherOf(row)),
      evidence: row.evidence ?? null,
      distance_bits: row.bits ?? null,
      decided: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
    };
    decisions.set(keyOf(one), one);
  }
  changed(needle, decision === null ? `${nameOf(row.path)}: undecided` : `${nameOf(row.path)}: ${WORDS[decision]}`);
}

function changed(needle, text) {
  exported = false;
  keep();
  listed.forEach((row, index) => { if (!Array.isArray(row) && [row, rows[row.half] ?? row].some((one) => (one.parted ?? needleOf(one)) === needle)) list.again(index); });
  count();
  tell(text);
}

function count() {
  const numbers = { same: 0, different: 0, "not-wanted": 0 };
  decisions.forEach((one) => { numbers[one.decision] += 1; });
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

