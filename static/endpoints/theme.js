// Before the first paint: the explicit choice of theme wins over the system's, and scripts are on.
(() => {
  const root = document.documentElement;
  root.classList.add("js");
  try {
    const kept = localStorage.getItem("theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // Storage can be forbidden; the system's theme is fine then.
  }
})();
