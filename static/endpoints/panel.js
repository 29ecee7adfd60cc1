// A panel reads itself again while somebody looks at it, and never while they work in it.
(() => {
  "use strict";
  // The next panel may come at once and fetch its content later: here a script will ask for it.
  document.cookie = "script=on; path=/w/; max-age=31536000; samesite=lax";

  const inUse = (panel) => {
    const selection = document.getSelection();
    return (
      panel.matches(":has(:is(input, select, textarea):focus)") ||
      (selection && !selection.isCollapsed && selection.containsNode(panel, true))
    );
  };

  const looked = new Map();
  const look = () => {
    if (document.hidden) return;
    for (const panel of document.querySelectorAll("[data-every]")) {
      const last = looked.get(panel.id) ?? loaded;
      if (Date.now() - last < Number(panel.dataset.every) * 1000 || inUse(panel)) continue;
      looked.set(panel.id, Date.now());
      htmx.trigger(panel, "panel:look");
    }
  };
  const loaded = Date.now();
  setInterval(look, 1000);
  document.addEventListener("visibilitychange", look);

  // What was unfolded stays so.
  let unfolded = [];
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    unfolded = [...detail.target.querySelectorAll("details[id][open]")].map(({ id }) => id);
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const id of unfolded.splice(0)) document.getElementById(id)?.setAttribute("open", "");
  });

  // Nothing new: only when it was read has changed.
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = event.detail;
    const read = Number(xhr.getResponseHeader("Desk-Read"));
    const time = elt.querySelector?.("[data-read] time");
    if (xhr.status === 204 && read && time) time.dateTime = new Date(read * 1000).toISOString();
  });
})();
