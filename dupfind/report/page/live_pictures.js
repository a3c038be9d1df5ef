// Pictures of the live page: fetched by the number of their file when they are drawn; `full/3` is one at full size.
const addressOf = (place) => `picture/${typeof place === "number" ? `small/${place}` : place}?era=${data.era}`;

function imageOf(place, text) {
  const image = make("img", { alt: text, decoding: "async", src: addressOf(place) });
  image.addEventListener("error", () => sayWhyNot(image, place), { once: true });
  return image;
}

// Puts in the place of a picture why there is none, in the server's words.
async function sayWhyNot(image, place) {
  let why = "the server does not answer";
  try {
    const answer = await fetch(image.src);
    why = answer.ok ? "the browser cannot show it" : await answer.text();
    if (data.sights[place]) {
      delete data.sights[place].picture; // it need not be asked for again
      data.sights[place].why = why;
    }
  } catch {
    // as it is said above
  }
  image.replaceWith(make("span", { class: "why-not" }, `No picture: ${why}`));
}

