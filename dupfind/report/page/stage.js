// Two pictures on top of each other: a click or Space flips between them, the slider wipes.

// How a picture that was found turned is turned to lie on the other: by the index of its orientation.
const TURNS = {
  1: ["scaleX(-1)", "mirrored"],
  2: ["rotate(180deg)", "turned by 180 degrees"],
  3: ["scaleY(-1)", "mirrored, upside down"],
  4: ["scaleX(-1) rotate(90deg)", "mirrored and turned by 90 degrees"],
  5: ["rotate(90deg)", "turned by 90 degrees"],
  6: ["scaleY(-1) rotate(90deg)", "mirrored and turned by 90 degrees"],
  7: ["rotate(-90deg)", "turned by 90 degrees"],
};
const FIRST_TRANSPOSED = 4;

// One picture, which fills a box of these sides; turned by `turn` beforehand.
function layer(who, path, sight, box, turn) {
  const image = imageOf(sight.picture, `${who}: ${nameOf(path)}`);
  if (turn) {
    const [width, height] = turn < FIRST_TRANSPOSED ? [1, 1] : [box.height / box.width, box.width / box.height];
    image.style.width = `${100 * width}%`;
    image.style.height = `${100 * height}%`;
    image.style.transform = `translate(-50%, -50%) ${TURNS[turn][0]}`;
    image.className = "turned";
  }
  return make("span", { class: "layer" }, image);
}

// `lower` and `upper` are {who, path, sight}; `upper` may have a `turn`. `value`, in percent, is how much of `upper` is
// shown, and `keep` is told of every change.
function stage(lower, upper, value, keep) {
  const over = layer(upper.who, upper.path, upper.sight, lower.sight, upper.turn);
  const slider = make("input", { type: "range", min: "0", max: "100", step: "1", "data-what": "wipe", "aria-label": `How much of the other picture is shown (${upper.who}), in percent` });
  let now = value;
  const set = (percent) => {
    now = percent;
    keep(percent);
    slider.value = String(percent);
    over.style.clipPath = `inset(0 ${100 - percent}% 0 0)`;
  };
  const box = make("button", { type: "button", class: "stage", "data-what": "flip", "aria-label": "Flip between the two pictures", onclick: () => set(now > 50 ? 0 : 100) },
    layer(lower.who, lower.path, lower.sight, lower.sight), over);
  box.style.aspectRatio = `${lower.sight.width} / ${lower.sight.height}`;
  slider.addEventListener("input", () => set(Number(slider.value)));
  set(value);
  const turned = upper.turn ? `, ${TURNS[upper.turn][1]} here` : "";
  const ends = make("div", { class: "ends" }, make("span", {}, lower.who.toLowerCase()), make("span", {}, `${upper.who.toLowerCase()}${turned}`));
  const whole = make("div", { class: "compare" }, box, slider, ends);
  whole.style.maxWidth = `${Math.round(Math.min(480, (480 * lower.sight.width) / lower.sight.height))}px`;
  return whole;
}
