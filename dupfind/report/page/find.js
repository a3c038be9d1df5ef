// The page of single pictures: a sheet for each, with the nearest of the haystack, the best first.

const sightOf = (shown) => data.sights[shown.at] ?? {};
const picturesOf = (image) => image.near.filter((near) => sightOf(near).picture !== undefined);

function sheet(image, index) {
  const id = `image-${image.index}`;
  const word = image.seen ? "seen" : "not seen";
  const head = make("header", {}, badge(word), make("h2", { id }, nameOf(image.path)),
    image.input ? null : make("div", { class: "folder dim" }, folderOf(image.path)));
  const sight = image.input ? { ...sightOf(image), copy: null } : sightOf(image);
  const members = [figureOf("Asked", image.path, sight, picturesOf(image).length && sight.picture !== undefined ? () => compare(image, index, null) : null),
    ...image.near.map((near, place) => nearest(image, index, near, place))];
  members[0].classList.add("asked");
  return make("article", { class: "card", tabindex: "-1", "aria-labelledby": id }, head, ...image.remarks.map((text) => make("p", { class: "why" }, text)),
    over(image), make("div", { class: "sought" }, ...members));
}

function nearest(image, index, near, place) {
  const canCompare = sightOf(image).picture !== undefined && sightOf(near).picture !== undefined;
  const head = make("span", {}, `${place + 1}. `, badge(near.grade), near.witness ? make("span", { class: "who" }, " witness") : null);
  const who = `Number ${place + 1}, ${near.grade}`;
  const figure = figureOf(who, near.path, sightOf(near), canCompare ? () => compare(image, index, near) : null, head);
  if (image.over === near) figure.classList.add("chosen");
  const apart = near.bits === null ? "" : `${counted(near.bits, "bit")} of 64 apart, `;
  figure.append(make("p", { class: "why" }, [near.score === null ? "" : `${apart}score\u00a0${near.score.toFixed(2)}`, near.reason].filter(Boolean).join("; ")));
  return figure;
}

// The picture that was asked for under one of the others, where it is compared with one.
function over(image) {
  if (!image.over) return null;
  const place = image.near.indexOf(image.over) + 1;
  return stage({ who: "Asked", path: image.path, sight: sightOf(image) },
    { who: `Number ${place}`, path: image.over.path, sight: sightOf(image.over), turn: image.over.turn },
    image.flip, (value) => { image.flip = value; });
}

// Compares with one of the nearest, or with the best; once more with the same one ends it.
function compare(image, index, near) {
  const chosen = near ?? image.over ?? picturesOf(image)[0];
  image.over = image.over === chosen ? null : chosen;
  image.flip = 0;
  sheets.list.again(index);
}

function flip(image, index) {
  if (image.over) sheets.list.at(index).querySelector("[data-what=flip]").click();
  else if (sightOf(image).picture === undefined || !picturesOf(image).length) refuse(`${nameOf(image.path)}: there are no two pictures to compare`);
  else compare(image, index, null);
}

function step(image, index, way) {
  const pictures = picturesOf(image);
  const place = pictures.indexOf(image.over) + way;
  if (sightOf(image).picture === undefined || !pictures[place]) refuse(`There is no ${way > 0 ? "farther" : "nearer"} one here`);
  else compare(image, index, pictures[place]);
}

const sheets = new Sheets({
  noun: "picture",
  items: data.images,
  draw: sheet,
  guess: (image) => 120 + 330 * Math.ceil((1 + image.near.length) / 6),
  pathsOf: (image) => [image.path, ...image.near.map((near) => near.path)],
  orders: {
    asked: null,
    unseen: (first, second) => Number(first.seen) - Number(second.seen),
    path: (first, second) => (first.path < second.path ? -1 : Number(first.path > second.path)),
  },
});
listenToKeys({
  ...sheets.keys,
  n: () => sheets.onCurrent((image, index) => step(image, index, 1)),
  p: () => sheets.onCurrent((image, index) => step(image, index, -1)),
  " ": () => sheets.onCurrent(flip),
});
