// Serving Desk: the poller, the page's own clock, dialogs, keys. Every control also works without.
(() => {
  const words = document.getElementById("words")?.dataset ?? {};
  const $ = (css, from = document) => from.querySelector(css);
  const $$ = (css, from = document) => [...from.querySelectorAll(css)];
  const say = (text) => ($("#said").textContent = text);

  // Time: the server's clock counts, whatever this machine's says. ------------------------------
  const poll = $("#poll");
  const skew = poll ? Number(poll.dataset.now) * 1000 - Date.now() : 0;
  const now = () => Date.now() + skew;

  const duration = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    if (s < 60) return words.s.replace("%s", s);
    if (s < 3600) return words.min.replace("%s", Math.floor(s / 60));
    if (s < 86400) return words.h.replace("%s", Math.floor(s / 3600));
    return words.d.replace("%s", Math.floor(s / 86400));
  };

  const tick = () => {
    for (const time of $$("time[data-ago], time[data-for]")) {
      const lasted = duration(now() - Date.parse(time.dateTime));
      const text = "ago" in time.dataset ? words.ago.replace("%s", lasted) : lasted;
      if (time.textContent !== text) time.textContent = text;
    }
    turnUnknown();
  };

  // Staleness comes from the clock, here too: with web, worker and beat dead the page still turns
  // Unknown by itself, and back with the next good answer.
  const observed = () => new Map((poll?.dataset.observed ?? "").split(" ").filter(Boolean).map((pair) => pair.split("=").map(Number)));

  const turnUnknown = () => {
    if (!poll) return;
    const limit = Number(poll.dataset.limit) * 1000;
    const stale = new Set();
    for (const [source, at] of observed()) if (now() - at * 1000 > limit) stale.add(String(source));
    for (const root of $$("[data-source]")) {
      const badge = $(".badge[data-status]", root);
      if (!stale.has(root.dataset.source) || !badge || ["unknown", "gone"].includes(badge.dataset.status)) continue;
      const label = badge.textContent.trim();
      badge.replaceWith($("#words").content.firstElementChild.cloneNode(true));
      const why = document.createElement("span");
      why.className = "why clip";
      why.textContent = words.lastKnown.replace("%s", label);
      const cell = $(".c-status", root);
      if (cell) {
        $$(".why, .soft", cell).forEach((old) => old.remove());
        cell.append(why);
      }
    }
  };

  // The poller: quick while something moves, calm otherwise, none while hidden. -----------------
  let timer = 0;
  const pace = () => (poll.dataset.pace === "fast" ? 1000 : 5000);
  const look = () => {
    clearTimeout(timer);
    if (document.hidden) return;
    htmx.trigger(poll, "desk:look");
    timer = setTimeout(look, pace());
  };
  if (poll) {
    timer = setTimeout(look, pace());
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
    addEventListener("pageshow", (event) => event.persisted && look());
  }

  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt === poll) event.detail.parameters.since = poll.dataset.cursor;
  });

  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { xhr, elt } = event.detail;
    if (xhr.status === 401) {
      location.assign(`/account/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`);
      event.preventDefault();
    }
    if (elt === poll && xhr.status < 300) {
      const cursor = xhr.getResponseHeader("Desk-Cursor");
      if (cursor) poll.dataset.cursor = cursor;
      poll.dataset.observed = xhr.getResponseHeader("Desk-Observed") ?? poll.dataset.observed;
      poll.dataset.pace = xhr.getResponseHeader("Desk-Pace") ?? "calm";
      trouble("");
      age();
    }
  });

  // The chip shows the oldest answer among the page's sources.
  const age = () => {
    const time = $("#fresh time");
    const times = [...observed().values()];
    if (!time || !times.length) return;
    time.dateTime = new Date(Math.min(...times) * 1000).toISOString();
  };

  // One handler for what goes wrong: in place where the server said so, else one line.
  const trouble = (text) => {
    let line = $("#trouble");
    if (!text) return line?.remove();
    if (!line) {
      line = Object.assign(document.createElement("div"), { id: "trouble", className: "notice unknown" });
      line.setAttribute("role", "status");
      $("#main").prepend(line);
    }
    if (line.textContent !== text) line.textContent = text;
  };
  for (const name of ["htmx:sendError", "htmx:timeout"]) document.addEventListener(name, () => trouble(words.serverGone));
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr, elt } = event.detail;
    if (xhr.status === 401) return;
    if (elt === poll) trouble(words.serverGone);
    else if (!/^4(00|03|04|09|22)$/.test(xhr.status)) trouble(words.refused);
  });

  // What is the same stays: a swap would take focus and selection with it.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const { target, fragment } = event.detail;
    const fresh = fragment.firstElementChild;
    if (target && fresh && same(target, fresh)) event.detail.shouldSwap = false;
  });
  const same = (a, b) => plain(a) === plain(b);
  const plain = (element) => {
    const copy = element.cloneNode(true);
    copy.removeAttribute("hx-swap-oob");
    $$("time[data-ago], time[data-for]", copy).forEach((time) => (time.textContent = ""));
    copy.classList.remove("left");
    return copy.outerHTML.replaceAll(/\s+/g, " ").replaceAll(' class=""', "");
  };

  document.addEventListener("htmx:afterSettle", () => {
    const note = $("#note");
    if (note) {
      if (document.title !== note.dataset.title) document.title = note.dataset.title;
      const shown = new Set(note.dataset.shown.split(" ").filter(Boolean));
      const here = new Set($$("tr[data-endpoint]").map((row) => row.id.replace("row-", "")));
      for (const pk of here) $(`#row-${pk}`).classList.toggle("left", !shown.has(pk));
      const fresh = [...shown].filter((pk) => !here.has(pk)).length;
      const pill = $("#pill");
      if (pill) {
        pill.hidden = fresh === 0;
        pill.textContent = words.new.replace("%s", fresh);
      }
    }
    tick();
  });

  // Dialogs: the page of its own, as a modal one. -----------------------------------------------
  let opener = null;
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      opener = link.id;
      const dialog = document.createElement("dialog");
      dialog.setAttribute("aria-labelledby", "ask-title");
      const body = document.createElement("div");
      dialog.append(body);
      $("#dialog").replaceChildren(dialog);
      await htmx.ajax("GET", `${link.pathname}dialog/`, { target: body, swap: "outerHTML" });
      if (!$("#ask", dialog)) return location.assign(link.href);
      dialog.showModal();
      $("[autofocus]", dialog)?.focus();
      dialog.addEventListener("close", closed);
    }
    if (event.target.closest("dialog [data-close]")) {
      event.preventDefault();
      event.target.closest("dialog").close();
    }
  });
  const closed = () => {
    $("#dialog").replaceChildren();
    if (opener) document.getElementById(opener)?.focus();
  };

  document.addEventListener("htmx:afterSwap", () => {
    const done = $("#ask[data-done]");
    if (!done) return;
    say(done.dataset.said);
    done.closest("dialog")?.close();
    if (poll) {
      poll.dataset.pace = "fast";
      look();
    }
  });

  // Delete: the verb waits until the typed name matches. The server checks it again.
  const match = (input) => {
    const verb = $("[data-needs-match]", input.form);
    verb.disabled = input.value !== input.dataset.match;
    $("[data-no]", input.form).hidden = !verb.disabled;
    $("[data-yes]", input.form).hidden = verb.disabled;
  };
  document.addEventListener("input", (event) => event.target.matches("[data-match]") && match(event.target));
  const matchAll = () => $$("[data-match]").forEach(match);
  document.addEventListener("htmx:load", matchAll);
  matchAll();

  // Filters apply at once; the address stays the only state.
  document.addEventListener("change", (event) => {
    const form = event.target.closest("form[data-filters]");
    if (!form) return;
    for (const field of form.elements) field.disabled = field.name && !field.value;
    form.requestSubmit();
    for (const field of form.elements) field.disabled = false;
  });

  document.addEventListener("click", async (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy) {
      await navigator.clipboard?.writeText(copy.dataset.copy);
      say(words.copied);
    }
    if (event.target.closest("[data-theme-toggle]")) {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      localStorage.setItem("theme", root.dataset.theme);
    }
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // Keys: j and k walk the list, / finds, Enter is the link's own, Escape closes.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") $$("details.menu[open]").forEach((menu) => (menu.open = false));
    if (event.target.closest("input, select, textarea, dialog") || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "/") {
      $("[data-find]")?.focus();
      event.preventDefault();
    }
    if (event.key === "j" || event.key === "k") {
      const names = $$(".fleet .name");
      const at = names.indexOf(document.activeElement);
      names[event.key === "j" ? Math.min(at + 1, names.length - 1) : Math.max(at - 1, 0)]?.focus();
    }
    if (event.key === "?") $("#keys")?.showModal();
  });

  setInterval(tick, 1000);
})();
