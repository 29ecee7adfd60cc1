// The status page with a script: renews its content in place, and turns Unknown by its own clock
// when nothing newer comes. Without it the page reloads itself.
(() => {
  "use strict";
  const RENEW = 10000;
  const root = document.documentElement;
  const still = root.classList.contains("still");
  let offset = null;  // of this clock from the server's

  const main = () => document.getElementById("main");

  function look() {
    const now = Date.now() / 1000;
    const place = main() || root;
    if (offset === null) {
      // A file tells when it was written, which is not when it was fetched: the own clock counts.
      offset = still ? 0 : Number(place.dataset.now) - now;
    }
    const expired = now + offset >= Number(place.dataset.valid);
    root.classList.toggle("expired", expired);
    root.classList.toggle("fresh", !expired);
    const over = document.querySelector(".over");
    if (!over) return;
    over.hidden = !expired;
    if (expired) document.title = over.querySelector("[data-title]").dataset.title + " · " + document.title.split(" · ").pop();
  }

  function settled() {
    offset = null;
    const icon = document.getElementById("icon");
    if (icon && main().dataset.icon) icon.href = main().dataset.icon;
    look();
  }

  function renew() {
    if (document.hidden || !window.htmx) return;
    const open = [...document.querySelectorAll("details[open]")].length > 0;
    if (open || main().contains(document.activeElement) && document.activeElement !== main()) {
      // Somebody reads or is on their way with the keyboard: nothing moves under them, but it ages.
      if (root.classList.contains("expired") === false) return;
    }
    window.htmx.trigger(main(), "renew");
  }

  document.addEventListener("DOMContentLoaded", look);
  setInterval(look, 1000);
  if (!still) {
    setInterval(renew, RENEW);
    document.addEventListener("visibilitychange", () => { look(); renew(); });
    document.addEventListener("htmx:afterSettle", settled);
  }
})();
