// Logs: new lines appended, follow, find, filter. Without it the page and its links do the same.
(() => {
  const $ = (css, from = document) => from.querySelector(css);
  const $$ = (css, from = document) => [...from.querySelectorAll(css)];
  const EVERY = 3000; // the server asks Databricks no more often, however many read
  const NEAR = 24; // pixels from the end that still count as being there
  const MATCHES = 5000;
  const canFind = "highlights" in CSS;

  let log, follow, following, unread, before, matches, at, painted;

  const address = (change) => {
    const url = new URL(location);
    for (const [name, value] of Object.entries(change)) value ? url.searchParams.set(name, value) : url.searchParams.delete(name);
    history.replaceState(history.state, "", url);
  };

  // Follow: only while the reader is at the end. Whoever scrolls up is left alone.
  const toEnd = () => (log.scrollTop = log.scrollHeight);
  const atEnd = () => log.scrollHeight - log.scrollTop - log.clientHeight < NEAR;
  const told = () => {
    follow.hidden = !unread;
    if (unread) $("span", follow).textContent = unread === 1 ? log.dataset.newOne : log.dataset.new.replace("%s", unread);
  };
  const scrolled = () => {
    following = atEnd();
    if (following) unread = 0;
    told();
  };

  // Where a line is may change while those around it are laid out for the first time.
  const settle = (go) => {
    go();
    requestAnimationFrame(() => requestAnimationFrame(go));
  };

  const start = () => {
    log = $("#lines");
    if (!log) return;
    follow = $("#log-follow");
    unread = 0;
    const here = $(".here", log) ?? $("#match", log);
    following = !here;
    settle(() => (here ? here.scrollIntoView({ block: "center" }) : toEnd()));
    log.addEventListener("scroll", scrolled, { passive: true });
    follow.addEventListener("click", () => {
      following = true;
      settle(toEnd);
      log.focus({ preventScroll: true });
    });
    if (canFind) {
      for (const mark of $$("mark", log)) mark.replaceWith(mark.textContent);
      log.normalize();
      const field = $("#log-form [name=q]");
      if (field.value) find(field.value, Number(new URL(location).searchParams.get("at") || 1) - 1, !$(".here", log));
    }
  };

  // The tail: what came is appended, never put over what is being read.
  const tail = () => $("#log-tail");
  const look = () => {
    if (!document.hidden && log?.isConnected && tail()) htmx.trigger(tail(), "desk:tail");
  };
  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);

  document.addEventListener("htmx:configRequest", ({ detail }) => {
    if (detail.elt !== tail()) return;
    detail.parameters.after = log.dataset.cursor;
    detail.parameters.state = $("#log-source").dataset.state;
  });
  document.addEventListener("htmx:beforeSwap", ({ detail }) => {
    if (detail.requestConfig.elt !== tail()) return;
    before = log.lastElementChild;
    if (detail.xhr.status < 400) return;
    detail.shouldSwap = false; // no longer ours to read, or gone: what was read stays
    if (detail.xhr.status < 500) tail().remove();
  });
  document.addEventListener("htmx:afterRequest", ({ detail }) => {
    if (!detail.elt || detail.elt !== tail() || detail.xhr.status >= 400) return;
    const header = (name) => detail.xhr.getResponseHeader(name);
    if (header("Log-Cursor")) log.dataset.cursor = header("Log-Cursor");
    const read = $("#log-read time");
    if (read && header("Log-Read")) read.dateTime = new Date(header("Log-Read") * 1000).toISOString();
  });
  document.addEventListener("htmx:afterSwap", ({ detail }) => {
    if (detail.target.id === "log-panel") return start();
    if (detail.requestConfig.elt !== tail()) return;
    let added = 0;
    for (let run = before?.nextElementSibling; run; run = run.nextElementSibling) added += $$(".ln", run).filter(shown).length;
    if (!added) return;
    $("#log-nothing")?.remove();
    drop();
    if (following) toEnd();
    else unread += added;
    told();
    if (painted) find(painted, at, false);
  });

  // A page that follows for days does not grow for days; what goes is said in the first row.
  const drop = () => {
    let lines = log.getElementsByClassName("ln").length - Number(log.dataset.most);
    if (lines <= 0 || !following) return;
    for (const run of $$(".run, .gap:not(.cap)", log)) {
      const size = run.getElementsByClassName("ln").length;
      if (size > lines) break;
      lines -= size;
      run.remove();
    }
    const first = $(".ln", log).id.slice(1);
    const last = $$(".ln", log).at(-1).id.slice(1);
    const cap = $("#log-cap");
    cap.hidden = false;
    $("span", cap).textContent = cap.dataset.said.replace("%(shown)s", last - first + 1).replace("%(all)s", last);
  };

  // Find: ranges are painted, the lines themselves stay untouched.
  const cells = () => $$(".ln > :last-child", log).filter((cell) => shown(cell.parentElement));
  const shown = ({ classList }) => {
    const least = log.dataset.level;
    return !least || classList.contains("err") || (least === "warn" && classList.contains("warn"));
  };
  const range = (cell, start, end) => {
    const found = new Range();
    const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
    let offset = 0;
    let open = false;
    while (texts.nextNode()) {
      const { length } = texts.currentNode;
      if (!open && start < offset + length) {
        found.setStart(texts.currentNode, start - offset);
        open = true;
      }
      if (end <= offset + length) {
        found.setEnd(texts.currentNode, end - offset);
        return found;
      }
      offset += length;
    }
    return found;
  };
  const find = (text, wanted = -1, go = true) => {
    const sought = text.toLowerCase();
    matches = [];
    painted = text;
    if (sought)
      for (const cell of cells()) {
        const line = cell.textContent.toLowerCase();
        for (let i = line.indexOf(sought); i >= 0 && matches.length < MATCHES; i = line.indexOf(sought, i + sought.length))
          matches.push(range(cell, i, i + sought.length));
      }
    CSS.highlights.set("found", new Highlight(...matches));
    at = wanted >= 0 ? Math.min(wanted, matches.length - 1) : matches.length - 1;
    show(go);
  };
  const show = (go) => {
    const some = matches.length > 0;
    $("#log-found").textContent = !painted ? "" : some ? `${at + 1} / ${matches.length}${matches.length === MATCHES ? "+" : ""}` : log.dataset.none;
    $("#log-turns").hidden = !some;
    CSS.highlights.set("current", some ? new Highlight(matches[at]) : new Highlight());
    address({ q: painted, at: some ? String(at + 1) : "" });
    if (!some || !go) return;
    following = false;
    const place = matches[at].startContainer.parentElement.closest(".ln");
    const fold = place.closest("details");
    if (fold && place.parentElement === fold && place.matches("div")) fold.open = true;
    settle(() => place.scrollIntoView({ block: "center" }));
  };
  const turn = (by) => {
    if (!matches?.length) return;
    at = (at + by + matches.length) % matches.length;
    show(true);
  };

  let typing = 0;
  document.addEventListener("input", ({ target }) => {
    if (!canFind || !target.matches("#log-form [name=q]")) return;
    clearTimeout(typing);
    typing = setTimeout(() => find(target.value), 150);
  });
  document.addEventListener("submit", (event) => {
    if (!canFind || event.target.id !== "log-form") return;
    event.preventDefault();
    const text = $("[name=q]", event.target).value;
    text === painted ? turn(1) : find(text);
  });
  document.addEventListener("keydown", (event) => {
    if (!canFind || event.key !== "Enter" || !event.shiftKey || !event.target.matches("#log-form [name=q]")) return;
    event.preventDefault();
    turn(-1);
  });

  // Switches apply at once and stay in the address.
  document.addEventListener("change", ({ target }) => {
    if (!target.matches("#log-form [name=level]")) return;
    log.dataset.level = target.value;
    address({ level: target.value });
    if (painted) find(painted, at, false);
    if (following) toEnd();
  });
  document.addEventListener("click", (event) => {
    const on = (css) => event.target.closest(css);
    if (!log?.isConnected || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (on("#log-wrap")) {
      event.preventDefault();
      const off = log.classList.toggle("nowrap");
      on("#log-wrap").setAttribute("aria-checked", String(!off));
      address({ wrap: off ? "off" : "" });
      if (following) toEnd();
    }
    if (canFind && on("#log-turns [data-turn]")) {
      event.preventDefault();
      turn(Number(on("[data-turn]").dataset.turn));
    }
    if (on("#lines .ln > a")) {
      event.preventDefault();
      const line = on(".ln");
      $(".here", log)?.classList.remove("here");
      line.classList.add("here");
      address({ line: new URL(on("a").href).searchParams.get("line") });
    }
    if (on("#log-copy")) copy();
  });
  const copy = async () => {
    await navigator.clipboard.writeText(cells().map((cell) => cell.textContent).join("\n"));
    $("#said").textContent = log.dataset.copied;
  };

  start();
  // A page that came with a copy of before is up to date a moment later.
  const read = $("#log-read time");
  if (read && Date.now() - Date.parse(read.dateTime) > EVERY) setTimeout(look, 100);
})();
