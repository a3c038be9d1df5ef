// The page of a scan: the files that are in doubt, the decisions on them, search and filters.

const LIKENESS = { identical: "Identical to", same: "The same picture as", similar: "Looks like" };
const DECISIONS = { same: "Same", different: "Different", "not-wanted": "Not wanted" };
const WORDS = { same: "the same picture", different: "different pictures", "not-wanted": "not wanted" };

const NONE = {};
const sightOf = (row) => data.sights[row.at] ?? NONE;
const otherOf = (row) => data.sights[row.otherAt] ?? NONE;
const rows = data.files;
[...rows, ...data.decided].forEach((row, index) => { row.index = index; });

