// The status page with a script: renews its content in place, and turns Unknown by its own clock
// when nothing newer comes. Without it the page reloads itself.
(() => {
  "use strict";
  const RENEW = 10000;
  const root = document.documentElement;
  const still = root.classList.contains("still");
  let offset = null;  // of the server's clock from this one
  let before = null;  // what the reader had opened, and where the keyboard was

  const main = () => document.getElementById("main");

  function look() {
    const now = Date.now() / 1000;
    const place = main() || root;
    // A file tells when it was written, which is not when it was fetched: there this clock counts.
    if (offset === null) offset = still ? 0 : Number(place.dataset.now) - now;
    const expired = now + offset >= Number(place.dataset.valid);
    root.classList.toggle("expired", expired);
    root.classList.toggle("fresh", !expired);
    const over = document.querySelector(".over");
    if (!over || over.hidden === !expired) return;
    over.hidden = !expired;
    if (expired) {
      const brand = document.title.split(" · ").pop();
      document.title = over.querySelector("[data-title]").dataset.title + " · " + brand;
      document.getElementById("icon").href = over.dataset.icon;
    }
  }

  function renew() {
    const selection = getSelection();
    // A selection is somebody at work; what a hidden page shows nobody sees.
    if (document.hidden || !window.htmx || (selection && !selection.isCollapsed)) return;
    window.htmx.trigger(main(), "renew");
  }

  function leave() {
    const focused = document.activeElement;
    before = {
      open: Boolean(document.querySelector("#main details[open]")),
      href: main().contains(focused) ? focused.getAttribute("href") : null,
    };
  }

  function settle() {
    offset = null;
    document.getElementById("icon").href = main().dataset.icon;
    if (before && before.open) for (const it of document.querySelectorAll("#main details")) it.open = true;
    if (before && before.href) {
      const same = [...main().querySelectorAll("a")].find((a) => a.getAttribute("href") === before.href);
      if (same) same.focus({preventScroll: true});
    }
    look();
  }

  document.addEventListener("DOMContentLoaded", look);
  setInterval(look, 1000);
  // A file is read again whole, once there is something to read: what is shown is never lost.
  async function again() {
    const selection = getSelection();
    if (document.hidden || (selection && !selection.isCollapsed)) return;
    try {
      const there = await fetch(location.href, {method: "HEAD", cache: "no-store"});
      if (there.ok) location.reload();
    } catch {
      // The file server is gone too; the clock goes on telling the age.
    }
  }

  if (still) {
    setInterval(again, 3 * RENEW);
  } else {
    setInterval(renew, RENEW);
    document.addEventListener("visibilitychange", () => { look(); renew(); });
    document.addEventListener("htmx:beforeSwap", leave);
    document.addEventListener("htmx:afterSettle", settle);
  }
})();
