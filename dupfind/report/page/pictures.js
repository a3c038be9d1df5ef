// The pictures come last in the page, so that the first rows need not wait for them.
let held = null;
function pictureAt(place) {
  if (held === null) {
    const block = byId("pictures");
    if (block === null || document.readyState === "loading") return null;
    held = JSON.parse(block.textContent);
    block.remove();
  }
  return `data:image/webp;base64,${held[place]}`;
}

function imageOf(place, text) {
  const image = make("img", { alt: text, decoding: "async" });
  const fill = () => { image.src = pictureAt(place); };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fill, { once: true });
  else fill();
  return image;
}

