// The page of groups: a sheet for each, the best member first.

function sheet(group) {
  const id = `group-${group.index}`;
  const those = group.members.length === 2 ? "the other frees" : "the others free";
  const freed = group.free ? `; ${those} ${group.frees}` : "";
  const head = make("header", {}, make("h2", { id }, `Group ${numbered(group.index + 1)}`),
    make("span", { class: "dim" }, `${counted(group.members.length, "file")}, best: ${group.why}${freed}`));
  return make("article", { class: "card", tabindex: "-1", "aria-labelledby": id }, head,
    make("div", { class: "members" }, ...group.members.map((one, place) => member(one, place))));
}

function member(one, place) {
  const word = place === 0 ? "best" : one.evidence;
  const figure = figureOf(word, one.path, { bytes: one.bytes, ...data.sights[one.at] }, null, badge(word));
  const own = one.stack !== 0 && one.evidence !== "similar" ? "a copy of the similar one before" : "";
  const apart = one.bits ? `${counted(one.bits, "bit")} apart` : "";
  const said = [own, apart, one.reason, one.frees ? `frees ${one.frees}` : ""].filter(Boolean).join("; ");
  if (said) figure.append(make("p", { class: "why" }, said));
  return figure;
}

const sheets = new Sheets({
  noun: "group",
  items: data.groups,
  draw: sheet,
  guess: (group) => 120 + 330 * Math.ceil(group.members.length / 5),
  pathsOf: (group) => group.members.map((one) => one.path),
  orders: {
    free: null,
    members: (one, other) => other.members.length - one.members.length,
    path: (one, other) => (one.members[0].path < other.members[0].path ? -1 : 1),
  },
});
listenToKeys(sheets.keys);
