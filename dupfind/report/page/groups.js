// The page of groups: a sheet for each, the best member first.

function sheet(group) {
  const id = `group-${group.index}`;
  const those = group.members.length === 2 ? "the other frees" : "the others free";
  const freed = group.free ? `; ${those} ${group.frees}` : "";
  const head = make("header", {}, make("h2", { id }, `Group ${numbered(group.index + 1)}`),
    make("span", { class: "dim" }, `${counted(group.members.length, "file")}, best: ${group.why}${freed}`));
  return make("article", { class: "card", tabindex: "-1", "aria-labelledby": id }, head,
    make("div", { class: "members" }, ...group.members.map(memberOf)));
}

function memberOf(member, place) {
  const word = place === 0 ? "best" : member.evidence;
  const figure = figureOf(word, member.path, { bytes: member.bytes, ...data.sights[member.at] }, null, badge(word));
  const own = member.stack !== 0 && member.evidence !== "similar" ? "a copy of the similar one before" : "";
  const apart = member.bits ? `${counted(member.bits, "bit")} apart` : "";
  const said = [own, apart, member.reason, member.frees ? `frees ${member.frees}` : ""].filter(Boolean).join("; ");
  if (said) figure.append(make("p", { class: "why" }, said));
  return figure;
}

const sheets = new Sheets({
  noun: "group",
  items: data.groups,
  draw: sheet,
  guess: (group) => 120 + 330 * Math.ceil(group.members.length / 5),
  pathsOf: (group) => group.members.map((member) => member.path),
  orders: {
    free: null,
    members: (first, second) => second.members.length - first.members.length,
    path: (first, second) => (first.members[0].path < second.members[0].path ? -1 : 1),
  },
});
listenToKeys(sheets.keys);
