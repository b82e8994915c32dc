// The review queue: one key an act, the next question in focus, others' work as it happens.
"use strict";

(() => {
  const queue = document.getElementById("queue");
  if (!queue) return;

  const ACTS = { a: "approve", h: "hide", e: "escalate" };
  const OFF = "arena_queue_keys_off";
  const CLAIM_AGAIN_MS = 60_000;
  const LONGEST_WAIT_MS = 30_000;
  const PATH = "/office/queue";
  const said = document.getElementById("said");
  const loadNew = document.getElementById("load-new");
  const news = document.getElementById("news");
  const keys = document.getElementById("keys");
  const keysOn = document.getElementById("keys-on");
  keysOn.checked = !localStorage.getItem(OFF);

  let current = null; // the id of the question that is looked at
  let claimed = null; // the id of the one that this page has claimed
  let wanted = null; // the id of the one that it claims next
  let claiming = Promise.resolve();

  // Questions and the focus

  const rowOf = (id) => document.getElementById(`review-${id}`);
  const rows = () => [...document.querySelectorAll(".review")];
  const here = () => current && rowOf(current);
  const passable = (row) => !("taken" in row.dataset || "done" in row.dataset || "sent" in row.dataset);
  const decidable = (row) => passable(row) && "open" in row.dataset;
  const chosen = () => rows().filter((row) => row.querySelector("[name=review]:checked"));

  function neighbour(step, fits) {
    const all = rows();
    let at = all.indexOf(here());
    if (at < 0) at = step > 0 ? -1 : all.length;
    do at += step; while (all[at] && !fits(all[at]));
    return all[at];
  }

  /** The question to decide on after the current one: the next below, else the first on the page. */
  const nextOne = () => neighbour(1, decidable) ?? rows().find(decidable);

  function focus(row) {
    row.focus({ preventScroll: true });
    row.scrollIntoView({ block: "nearest" });
  }

  function move(step) {
    const row = neighbour(step, passable);
    if (row) focus(row);
    else tell(queue.dataset.last);
  }

  function tell(text) {
    said.textContent = text;
  }

  // Claims: of what is in focus, given back when the focus moves on

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest(".review");
    if (!row || row.dataset.id === current) return;
    here()?.removeAttribute("aria-current");
    current = row.dataset.id;
    row.setAttribute("aria-current", "true");
    if (current !== claimed && decidable(row)) claim(row);
  });

  /** One claim at a time; of those that are asked for meanwhile only the last is made. */
  function claim(row) {
    const then = row.dataset.id;
    wanted = then;
    claiming = claiming.then(() => {
      if (wanted !== then) return undefined;
      const values = { then, csrf: queue.dataset.csrf };
      if (claimed && claimed !== then) values.left = claimed;
      claimed = then;
      return htmx.ajax("POST", `${PATH}/acts`, { source: said, target: said, swap: "none", values, quiet: true });
    });
  }

  setInterval(() => {
    const row = here();
    if (row && claimed === current && decidable(row) && !document.hidden) claim(row);
  }, CLAIM_AGAIN_MS);

  window.addEventListener("pagehide", () => {
    if (claimed) navigator.sendBeacon(`${PATH}/acts`, new URLSearchParams({ left: claimed, csrf: queue.dataset.csrf }));
    claimed = null;
  });

  // Acts: the focus moves on at once, the answer says what happened

  function press(name) {
    const form = chosen().length ? document.getElementById("bulk") : here()?.querySelector("form");
    form?.querySelector(`button[name=act][value=${name}]`)?.click();
  }

  document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
    const form = ctx.sourceElement;
    const body = ctx.request.body;
    if (!form.matches("form[hx-post='/office/queue/acts']")) return;
    if (body.get("act") === "undo") {
      ctx.undone = true;
      return;
    }
    if (body.has("then")) { // the button "Claim"
      claimed = wanted = body.get("then");
      return;
    }
    ctx.acted = body.getAll("review").map(rowOf).filter(Boolean);
    for (const row of ctx.acted) row.dataset.sent = "";
    if (ctx.acted.some((row) => row.dataset.id === claimed)) claimed = null;
    if (here() && passable(here())) return;
    const next = nextOne();
    if (!next) return;
    if (claimed) body.set("left", claimed);
    claimed = wanted = next.dataset.id;
    body.set("then", claimed);
    focus(next);
  });

  document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
    if (ctx.undone) ctx.back = ctx.text.match(/id="review-(\d+)"/)?.[1];
    const row = here();
    if (!row) return;
    row.setAttribute("aria-current", "true");
    if (document.activeElement === document.body) focus(row);
  });

  document.addEventListener("htmx:finally:request", async ({ detail: { ctx } }) => {
    for (const row of ctx.acted ?? []) {
      if (!row.isConnected) continue;
      delete row.dataset.sent; // nothing came of it: the connection, or the session, is gone
      focus(row);
    }
    if (ctx.undone) {
      if (ctx.back && !rowOf(ctx.back)) await load();
      if (ctx.back && rowOf(ctx.back)) focus(rowOf(ctx.back));
    }
    if (ctx.acted) count();
    const row = here();
    if (row && "taken" in row.dataset) {
      claimed = claimed === current ? null : claimed;
      if (ctx.status === "swapped" && nextOne()) {
        tell(queue.dataset.taken);
        focus(nextOne());
      }
    }
    const all = rows();
    if (ctx.acted && !all.some((row) => decidable(row) || "sent" in row.dataset)) await load();
  });

  /** Shows the list anew; the question in focus keeps it, or the first one gets it. */
  async function load() {
    const spoken = said.textContent;
    await htmx.ajax("GET", queue.dataset.url, { source: queue, target: queue, swap: "innerHTML" });
    const row = here() ?? rows().find(decidable) ?? document.getElementById("queue-empty");
    if (!here()) current = null;
    if (row) focus(row);
    tell(spoken || queue.dataset.loaded);
    count();
    watch();
  }

  // Choosing several

  document.addEventListener("change", (event) => {
    if (event.target.matches(".review [name=review]")) count();
  });

  document.addEventListener("click", (event) => {
    const all = event.target.closest("[data-choose]")?.dataset.choose;
    if (!all) return;
    for (const box of document.querySelectorAll(".review [name=review]")) box.checked = all === "all";
    count();
  });

  function count() {
    const bulk = document.getElementById("bulk");
    if (!bulk) return;
    const words = bulk.querySelector(".bulk-count");
    const n = chosen().length;
    bulk.classList.toggle("chosen", n > 0);
    words.textContent = `${words.dataset.chosen} ${n}`;
  }

  function choose(row) {
    const box = row?.querySelector("[name=review][type=checkbox]");
    if (!box) return;
    box.checked = !box.checked;
    count();
  }

  // The menu of reasons

  function openReasons() {
    const form = chosen().length ? document.getElementById("bulk") : here()?.querySelector("form");
    const menu = form?.querySelector(".reject");
    if (!menu) return;
    menu.open = true;
    menu.querySelector("[data-key]").focus();
    menu.scrollIntoView({ block: "nearest" });
  }

  function closeReasons(menu) {
    menu.open = false;
    const row = menu.closest(".review") ?? here();
    if (row) focus(row);
    else menu.querySelector("summary").focus();
  }

  function showAll(row) {
    const parts = row ? [...row.querySelectorAll("details.whole, details.earlier")] : [];
    const open = parts.some((part) => !part.open);
    for (const part of parts) part.open = open;
  }

  // Keys

  /** The key as on an English keyboard, also while the keyboard writes Korean. */
  function nameOf(event) {
    if (/^[!-~]$/.test(event.key)) return event.key.toLowerCase();
    return event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key;
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || keys.open) return;
    const { target } = event;
    const menu = target.closest(".reject[open]");
    if (event.key === "Escape") return escape(target, menu);
    if (!keysOn.checked) return;
    if (target.closest("textarea, select, [contenteditable], input:not([type=checkbox])")) return;
    const name = nameOf(event);
    if (menu) {
      const reason = menu.querySelector(`[data-key="${CSS.escape(name)}"]`);
      if (reason) event.preventDefault();
      return reason?.click();
    }
    if (name === " " && !target.matches(".review")) return;
    if (name.startsWith("Arrow") && target.closest("button, summary, a, input")) return;
    const act = does(name);
    if (!act) return;
    event.preventDefault();
    act();
  });

  function escape(target, menu) {
    if (menu) closeReasons(menu);
    else if (target.matches("#queue-search") && (here() ?? rows()[0])) focus(here() ?? rows()[0]);
  }

  function does(name) {
    if (name in ACTS) return () => press(ACTS[name]);
    return {
      j: () => move(1),
      ArrowDown: () => move(1),
      k: () => move(-1),
      ArrowUp: () => move(-1),
      r: openReasons,
      u: () => document.querySelector("#undo button").click(),
      x: () => choose(here()),
      " ": () => choose(here()),
      c: () => here() && decidable(here()) && claim(here()),
      v: () => showAll(here()),
      n: load,
      "/": () => document.getElementById("queue-search")?.focus(),
      "?": () => keys.showModal(),
    }[name];
  }

  keysOn.addEventListener("change", () => {
    if (keysOn.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "yes");
    tell(keysOn.checked ? queue.dataset.keysOn : queue.dataset.keysOff);
  });
  document.getElementById("show-keys").addEventListener("click", () => keys.showModal());
  document.getElementById("close-keys").addEventListener("click", () => keys.close());

  // What others do

  let source = null;
  let failures = 0;

  function watch() {
    source?.close();
    const list = document.getElementById("reviews");
    if (!list?.dataset.round) return;
    loadNew.hidden = true;
    const query = new URLSearchParams({ round: list.dataset.round, state: list.dataset.state, since: list.dataset.newest });
    source = new EventSource(`${PATH}/events?${query}`);
    let lost = false;
    source.addEventListener("open", () => {
      failures = 0;
      if (lost) refresh(rows().filter((row) => !("done" in row.dataset)).map((row) => row.dataset.id));
      lost = false;
    });
    source.addEventListener("new", (event) => {
      const n = Number(event.data);
      const most = Number(loadNew.dataset.most);
      loadNew.textContent = loadNew.dataset.text.replace("{n}", n > most ? `${most}+` : n);
      loadNew.hidden = false;
    });
    source.addEventListener("changed", (event) => refresh(JSON.parse(event.data)));
    source.addEventListener("over", () => {
      source.close();
      tell(queue.dataset.over);
    });
    source.onerror = () => {
      lost = true;
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      failures += 1;
      setTimeout(watch, Math.min(1000 * 2 ** failures, LONGEST_WAIT_MS));
    };
  }

  function refresh(ids) {
    const shown = ids.filter((id) => rowOf(id) && !("sent" in rowOf(id).dataset));
    if (!shown.length) return;
    const query = new URLSearchParams(shown.map((id) => ["review", id]));
    htmx.ajax("GET", `${PATH}/rows?${query}`, { source: news, target: said, swap: "none", quiet: true });
  }

  loadNew.addEventListener("click", load);
  window.addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
  watch();
  count();
})();
