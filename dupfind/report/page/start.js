recall();
chips();
byId("search").addEventListener("input", later(refresh));
byId("order").addEventListener("change", refresh);
byId("tree-order").addEventListener("change", (event) => { tree.order = event.target.value; tree.draw(); });
byId("tree-verdict").addEventListener("change", (event) => { tree.verdict = event.target.value; tree.draw(); });
byId("everywhere").addEventListener("click", () => { location.hash = ""; });
byId("export").addEventListener("click", save);
window.addEventListener("hashchange", fromAddress);
window.addEventListener("beforeunload", (event) => { if (!exported && !kept) event.preventDefault(); });
if (matchMedia("(max-width: 52rem)").matches) byId("side").open = false;
listenToKeys({
  j: () => move(1),
  k: () => move(-1),
  s: () => onCurrent((row) => decide(row, "same")),
  d: () => onCurrent((row) => decide(row, "different")),
  x: () => onCurrent((row) => decide(row, "not-wanted")),
  u: () => onCurrent((row) => (decisionOf(row) === null && isSplit(row) ? setSplit(row, false) : decide(row, null))),
  " ": () => onCurrent(flip),
  "/": () => { byId("search").focus(); byId("search").select(); },
});
count();
fromAddress();
