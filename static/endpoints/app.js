// Serving Desk: the page's own clock, its one poller, dialogs, keys. Every control also works without.
(() => {
  const $ = (css, from = document) => from.querySelector(css);
  const $$ = (css, from = document) => [...from.querySelectorAll(css)];
  const words = $("#words").dataset;
  const poll = $("#poll");

  // What outlives the page, where the browser lets us keep it.
  const kept = (() => {
    try {
      return sessionStorage;
    } catch {
      return {};
    }
  })();

  // The polite live region: each outcome once.
  const say = (text) => {
    $("#said").textContent = "";
    setTimeout(() => ($("#said").textContent = text), 50);
  };

  // Time ------------------------------------------------------------------------------------------
  // The server's clock counts, whatever this machine's says.
  let skew = Number(document.body.dataset.now) * 1000 - Date.now();
  const now = () => Date.now() + skew;

  // How long it has lasted, in words, and in how many milliseconds that reads differently.
  const duration = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    const [unit, size] = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]].find(([, size]) => s >= size) ?? ["s", 1];
    return [words[unit].replace("%s", Math.floor(s / size)), size * 1000 - (Math.max(0, ms) % (size * 1000))];
  };

  const times = (from) => $$("time[data-ago][datetime], time[data-for][datetime]", from);
  const tell = (time) => {
    const at = now();
    const [lasted, left] = duration(at - Date.parse(time.dateTime));
    const text = "ago" in time.dataset ? words.ago.replace("%s", lasted) : lasted;
    if (time.textContent !== text) time.textContent = text;
    return at + left;
  };

  // The page's times, of when they tell, and when each reads differently: a second at rest looks at these alone.
  let clocks = [];
  const wind = () => (clocks = times().map((time) => ({ time, of: "", due: 0 })));
  const strike = (clock) => {
    if (clock.due > now() && clock.of === clock.time.dateTime) return;
    clock.of = clock.time.dateTime;
    clock.due = tell(clock.time);
  };

  // Staleness -------------------------------------------------------------------------------------
  // With web, workers and beat dead the page still turns Unknown by itself. What it has turned it
  // asks for whole, so that the next good answer turns it back.
  const observed = new Map(); // workspace → when Databricks last answered it, in seconds; 0 is never
  const observe = (text) => {
    observed.clear();
    for (const pair of text.split(" ").filter(Boolean)) {
      const [source, at] = pair.split("=");
      observed.set(source, Number(at));
    }
  };
  const silentFor = (seconds) => [...observed.keys()].filter((source) => now() / 1000 - observed.get(source) > seconds);

  const turnUnknown = () => {
    const silent = silentFor(Number(words.limit));
    for (const source of silent) $$(`[data-source="${source}"]:not([data-turned])`).forEach(turn);
    if (!$("[data-turned]")) return;
    const unknown = recount(silent);
    const title = $("#note")?.dataset.ifUnknown;
    if (title) document.title = title.replace("%s", unknown);
  };

  const turn = (root) => {
    const badge = $(".badge[data-status]", root);
    if (badge && !["unknown", "gone"].includes(badge.dataset.status)) {
      const why = $("[data-why]", root) ?? Object.assign(document.createElement("span"), { className: "why clip" });
      why.textContent = words.lastKnown.replace("%s", badge.textContent.trim());
      $$("[data-known]", root).forEach((element) => element.remove());
      badge.replaceWith($("#words").content.firstElementChild.cloneNode(true));
      if (!why.isConnected && !$("[data-operation]", root)) $("[data-status]", root).after(why);
      root.dataset.turned = "";
    }
    for (const fact of $$("[data-if-unknown]", root)) {
      if (fact.textContent === fact.dataset.ifUnknown) continue;
      fact.textContent = fact.dataset.ifUnknown;
      root.dataset.turned = "";
    }
  };

  // The strip's numbers, with those of the silent workspaces under Unknown. Returns how many those are.
  const recount = (silent) => {
    let unknown = 0;
    const show = (link, number) => {
      $("b", link).textContent = number;
      link.classList.toggle("zero", !number);
    };
    const links = $$("#counts [data-per]");
    for (const link of links) {
      const per = link.dataset.per.split(" ").filter(Boolean).map((pair) => pair.split("="));
      const counts = (known) => per.reduce((sum, [source, n]) => sum + (silent.includes(source) !== known ? Number(n) : 0), 0);
      unknown += link.dataset.tone === "unknown" ? counts(true) + counts(false) : counts(false);
      show(link, counts(true));
    }
    for (const link of links) if (link.dataset.tone === "unknown") show(link, unknown);
    return unknown;
  };

  // The chip shows the oldest answer among the page's workspaces.
  const chip = $("#fresh");
  const date = () => {
    if (!chip || !observed.size) return;
    const [source, at] = [...observed].reduce((oldest, next) => (next[1] < oldest[1] ? next : oldest));
    for (const time of $$("[data-answered]")) {
      const answered = observed.get(time.dataset.answered);
      if (answered) time.dateTime = new Date(answered * 1000).toISOString();
      if (time.dataset.answered === source) $("[data-silent]", chip).textContent = time.dataset.name;
    }
    if (at) for (const time of $$("summary time", chip)) time.dateTime = new Date(at * 1000).toISOString();
  };
  const age = () => {
    if (!chip || !observed.size) return;
    const silent = silentFor(Number(words.limit)).length > 0;
    chip.classList.toggle("unknown", silent);
    chip.classList.toggle("aged", !silent && silentFor(Number(words.aged)).length > 0);
  };

  const tick = () => {
    age();
    clocks.forEach(strike);
    turnUnknown();
  };

  // Putting answers in place ----------------------------------------------------------------------
  // Only what differs is touched: the rest keeps focus, selection, scroll and open menus.
  const patch = (old, fresh) => {
    if (old.isEqualNode(fresh)) return;
    if (old.nodeType === Node.TEXT_NODE && fresh.nodeType === Node.TEXT_NODE) {
      old.data = fresh.data;
      return;
    }
    if (!alike(old, fresh)) {
      old.replaceWith(fresh);
      return;
    }
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
    for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
    const before = [...old.childNodes];
    const after = [...fresh.childNodes];
    if (before.length === after.length && before.every((node, i) => alike(node, after[i]))) {
      before.forEach((node, i) => patch(node, after[i]));
    } else if (old.children.length && [...old.children, ...fresh.children].every((child) => child.id)) {
      patchByIds(old, fresh);
    } else {
      old.replaceChildren(...after);
    }
  };
  const alike = (a, b) => a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

  const patchByIds = (old, fresh) => {
    const kept = new Map([...old.children].map((child) => [child.id, child]));
    const wanted = [...fresh.children];
    const ids = new Set(wanted.map((child) => child.id));
    for (const [id, child] of kept) if (!ids.has(id)) child.remove();
    let at = old.firstElementChild;
    for (const child of wanted) {
      const known = kept.get(child.id);
      if (known && known === at) at = at.nextElementSibling;
      else old.insertBefore(known ?? child, at);
      if (known) patch(known, child);
    }
  };

  // Parts marked hx-swap-oob replace what has their id; one that this page does not show is skipped.
  // Returns what else there was, and how many parts found their place.
  const place = (html) => {
    const answer = new DOMParser().parseFromString(html, "text/html");
    const parts = [answer, ...$$("template", answer).map((template) => template.content)].flatMap((from) => $$("[hx-swap-oob]", from));
    const held = focused();
    let placed = 0;
    for (const part of parts) {
      const target = document.getElementById(part.id);
      part.removeAttribute("hx-swap-oob");
      part.remove();
      if (!target) continue;
      placed += 1;
      const open = openOperation(target);
      times(part).forEach(tell);
      patch(target, part);
      const shown = document.getElementById(part.id);
      htmx.process(shown);
      if (open && !openOperation(shown)) say(`${open}: ${outcome(shown)}`);
    }
    $$("template", answer).forEach((template) => template.remove());
    refocus(held);
    return { rest: answer.body.innerHTML, parts: parts.length, placed };
  };

  const outcome = (part) => $("[data-outcome]", part)?.dataset.outcome ?? $(".badge", part)?.textContent.trim() ?? "";

  // Whose operation is under way in this part, if one is.
  const openOperation = (part) => {
    const open = $(":is([data-state=queued], [data-state=sending], [data-state=sent])", part);
    return open && (part.dataset.endpoint?.split("/")[1] ?? part.dataset.of);
  };

  // What has the focus, and where else it belongs when that is gone.
  const focused = (element = document.activeElement) => ({
    element,
    id: element?.id,
    near: element?.closest("[data-endpoint], [data-operation]")?.id,
  });
  const refocus = ({ element, id, near }) => {
    if (!element || element === document.body || document.activeElement !== document.body) return;
    const again = element.isConnected ? element : (id && document.getElementById(id)) || (near && $(`#${near} :is(.name, h1)`));
    again?.focus({ preventScroll: true });
  };

  // What the page would show now, compared with what it shows: rows keep their place until the
  // reader asks, those that left are marked, new ones are offered.
  const compare = () => {
    const note = $("#note");
    if (!note) return;
    if (document.title !== note.dataset.title) document.title = note.dataset.title;
    const pill = $("#pill");
    if (!pill || note.dataset.shown === undefined) return;
    const rows = $$("tr[data-endpoint]");
    const shown = note.dataset.shown.split(" ").filter(Boolean);
    const here = rows.map((row) => row.id.replace("row-", ""));
    for (const row of rows) {
      const left = !shown.includes(row.id.replace("row-", ""));
      row.classList.toggle("left", left);
      const mark = $(".left-mark", row);
      if (left && !mark) $(".c-name", row).append(Object.assign(document.createElement("span"), { className: "left-mark", textContent: words.left }));
      if (!left) mark?.remove();
    }
    const fresh = shown.filter((pk) => !here.includes(pk)).length;
    const moved = shown.join() !== here.filter((pk) => shown.includes(pk)).join();
    pill.hidden = !fresh && !moved;
    pill.textContent = fresh ? words.new.replace("%s", fresh) : words.moved;
  };

  // The poller ------------------------------------------------------------------------------------
  // As often as the last answer says, which is quickly while something moves; never while hidden.
  // The next look is planned when the last one has ended, so that there is one at a time.
  let timer = 0;
  const plan = () => {
    clearTimeout(timer);
    if (!document.hidden) timer = setTimeout(look, 1000 * poll.dataset.pace);
  };
  const look = () => {
    clearTimeout(timer);
    if (!document.hidden) htmx.trigger(poll, "desk:look");
  };

  const trouble = (text) => {
    const place = $("#trouble");
    if (!text) return place.replaceChildren();
    if (place.textContent.trim() === text) return;
    const notice = $("#words").content.lastElementChild.cloneNode(true);
    notice.lastElementChild.textContent = text;
    place.replaceChildren(notice);
  };

  const answered = ({ xhr }) => {
    if (xhr.status >= 400) {
      poll.dataset.pace = 5;
      return trouble(xhr.status < 500 ? words.noAccess : words.noAnswer);
    }
    const said = xhr.getResponseHeader("Date");
    if (said) skew = Date.parse(said) - Date.now();
    const { parts, placed } = place(xhr.response);
    if (parts && !placed) return location.reload(); // this page is another one by now
    poll.dataset.cursor = xhr.getResponseHeader("Desk-Cursor");
    poll.dataset.pace = xhr.getResponseHeader("Desk-Pace");
    observe(xhr.getResponseHeader("Desk-Observed"));
    trouble("");
    if (parts) compare();
    date();
    wind();
    tick();
  };

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt === poll) detail.parameters.since = $("[data-turned]") ? "" : poll.dataset.cursor;
  });
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    if (event.detail.xhr.status !== 401) return;
    event.preventDefault();
    clearTimeout(timer);
    location.assign(`${words.signIn}?next=${encodeURIComponent(location.pathname + location.search)}`);
  });
  document.addEventListener("htmx:beforeSwap", ({ target, detail }) => {
    if (target === poll) {
      detail.shouldSwap = false;
      answered(detail);
    } else if (detail.shouldSwap && detail.serverResponse.includes("hx-swap-oob")) {
      detail.serverResponse = place(detail.serverResponse).rest;
    }
  });
  for (const lost of ["htmx:sendError", "htmx:timeout"])
    document.addEventListener(lost, ({ detail }) => {
      if (detail.elt !== poll) return unanswered(detail.elt);
      poll.dataset.pace = 5;
      trouble(words.noAnswer);
    });
  document.addEventListener("htmx:responseError", ({ detail }) => {
    if (detail.elt !== poll && detail.xhr.status >= 500) unanswered(detail.elt);
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (detail.elt === poll && detail.xhr.status !== 401) plan();
  });

  // A click without an answer may have arrived; nothing else than a later look can tell.
  const unanswered = (element) => {
    const form = element.closest("form");
    if (!form) return trouble(words.noAnswer);
    const notice = $("#words").content.lastElementChild.cloneNode(true);
    notice.setAttribute("role", "alert");
    notice.lastElementChild.textContent = words.unsure;
    $(".notice.unknown", form)?.remove();
    form.prepend(notice);
  };

  if (poll) {
    observe(poll.dataset.observed);
    date();
    plan();
    document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : look()));
  }
  document.addEventListener("htmx:load", wind); // with what htmx has put in
  setInterval(tick, 1000);
  wind();
  tick();

  // Dialogs: the page of its own, as a modal one --------------------------------------------------
  const show = (dialog, opener) => {
    $("#dialog").replaceChildren(dialog);
    dialog.addEventListener("close", () => {
      dialog.remove();
      refocus(opener);
    });
    dialog.showModal();
    $("[autofocus]", dialog)?.focus();
  };

  const showKeys = () => show($("#keys").content.firstElementChild.cloneNode(true), focused());

  const ask = async (link) => {
    const opener = focused(link);
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "ask-title");
    dialog.append(document.createElement("div"));
    $("#dialog").replaceChildren(dialog);
    try {
      await htmx.ajax("GET", `${link.pathname}dialog/`, { target: dialog.firstElementChild, swap: "outerHTML" });
    } catch {
      return; // said above, in the page
    }
    if (dialog.isConnected && $("#ask", dialog)) show(dialog, opener);
  };

  document.addEventListener("htmx:afterSwap", () => {
    const done = $("#dialog [data-done]");
    if (!done) return;
    say(done.dataset.said);
    done.closest("dialog").close();
    if (poll) look();
  });

  // Delete: the verb waits until the typed name matches. The server checks it again.
  const match = (input) => {
    const verb = $("[data-needs-match]", input.form);
    verb.disabled = input.value !== input.dataset.match;
    $("[data-no]", input.form).hidden = !verb.disabled;
    $("[data-yes]", input.form).hidden = verb.disabled;
  };
  const matchAll = () => $$("[data-match]").forEach(match);
  document.addEventListener("input", ({ target }) => target.matches("[data-match]") && match(target));
  document.addEventListener("htmx:load", matchAll);

  // On a phone the current tab may lie beyond the edge of its row.
  document.addEventListener("htmx:load", () => $$(".tabs, .nav").forEach((row) => {
    const at = $("[aria-current]", row);
    if (at) row.scrollLeft += Math.max(0, at.getBoundingClientRect().right + 24 - row.getBoundingClientRect().right);
  }));
  matchAll();

  // Filters apply at once; the address stays the only state ---------------------------------------
  document.addEventListener("change", ({ target }) => {
    const form = target.closest("form[data-filters]");
    if (!form) return;
    kept.filter = target.name;
    for (const field of form.elements) field.disabled = Boolean(field.name) && !field.value;
    form.requestSubmit();
    for (const field of form.elements) field.disabled = false;
  });
  if (kept.filter) $(`form[data-filters] [name="${kept.filter}"]`)?.focus();
  delete kept.filter;
  // A page that comes back from the browser's memory shows what its address says.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    $$("form[data-filters], form.find").forEach((form) => form.reset());
    if (poll) look();
  });

  // Clicks and keys -------------------------------------------------------------------------------
  document.addEventListener("click", (event) => {
    const on = (css) => event.target.closest(css);
    for (const menu of $$("details.menu[open]")) if (!menu.contains(event.target) || on("a[data-dialog]")) menu.open = false;

    const link = on("a[data-dialog]");
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      ask(link);
    }
    if (on("dialog [data-close]")) {
      event.preventDefault();
      on("dialog").close();
    }
    if (on("[data-keys]")) showKeys();
    if (on("[data-theme-toggle]")) switchTheme();
    if (on("[data-copy]")) copy(on("[data-copy]"));
  });

  const switchTheme = () => {
    const root = document.documentElement;
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  };

  // What is cut off is told by a tooltip, which rows need not carry twice.
  document.addEventListener("mouseover", ({ target }) => {
    const cut = target.closest(".clip, tbody :is(.c-name, .c-ents, .c-owner)");
    if (cut) cut.title = cut.scrollWidth > cut.clientWidth ? cut.textContent.trim() : "";
  });

  const copy = async (button) => {
    await navigator.clipboard.writeText(button.dataset.copy);
    say(words.copied);
    const icon = $("use", button);
    icon.setAttribute("href", "#good");
    setTimeout(() => icon.setAttribute("href", "#copy"), 1500);
  };

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") $$("details.menu[open]").forEach((menu) => {
      menu.open = false;
      $("summary", menu).focus();
    });
    if (event.target.closest("input, select, textarea, dialog") || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "?" && $("#keys")) showKeys();
    if (event.key === "/") {
      $("[data-find]")?.focus();
      event.preventDefault();
    }
    if (event.key === "j" || event.key === "k") {
      const names = $$(".fleet .name");
      const at = names.findIndex((name) => name.closest("tr").contains(document.activeElement));
      names[event.key === "j" ? Math.min(at + 1, names.length - 1) : Math.max(at - 1, 0)]?.focus();
    }
  });
})();
