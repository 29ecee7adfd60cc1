// Before the first paint: the kept choice of theme wins over the system's, and what a browser can do shows.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  if (navigator.clipboard) root.classList.add("can-copy"); // not over plain http, but on localhost
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // Storage can be forbidden; the system's theme is fine then.
  }
})();
