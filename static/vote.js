// Voting: keys 1 to 4, and on a narrow screen the two tabs and the wait until both answers have been on screen.
"use strict";

(() => {
  const narrow = window.matchMedia("(max-width: 47.999rem)");
  const seen = new Set();

  // A panel counts as on screen when it reaches the middle of the window's width.
  const watcher = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      if (isIntersecting) show(target);
    }
  }, { rootMargin: "0px -45% 0px -45%" });

  function show(panel) {
    for (const tab of panel.closest(".turn").querySelectorAll(".tabs a")) {
      if (tab.hash === `#${panel.id}`) tab.setAttribute("aria-current", "true");
      else tab.removeAttribute("aria-current");
    }
    if (panel.querySelector("[data-answer]").textContent) seen.add(panel.dataset.seenKey);
    refresh();
  }

  function unread() {
    if (!narrow.matches) return undefined;
    return [...document.querySelectorAll(".turn:last-of-type .panel")].find((panel) => !seen.has(panel.dataset.seenKey));
  }

  function refresh() {
    const vote = document.getElementById("vote");
    if (!vote) return;
    const missing = unread();
    const hint = document.getElementById("vote-hint");
    const text = missing ? hint.dataset[missing.id.endsWith("-a") ? "unreadA" : "unreadB"] : "";
    if (hint.textContent !== text) hint.textContent = text;
    for (const button of vote.querySelectorAll("[name=choice]")) {
      if (missing) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  function watch() {
    watcher.disconnect();
    for (const panel of document.querySelectorAll(".panel")) watcher.observe(panel);
    refresh();
  }

  /** Shows a panel from its beginning, which sticky tabs may otherwise hide. */
  function bring(panel) {
    const row = panel.parentElement;
    row.scrollTo({ left: panel.offsetLeft - row.offsetLeft });
    const hidden = row.getBoundingClientRect().top - row.previousElementSibling.offsetHeight;
    if (hidden < 0) window.scrollBy({ top: hidden });
    show(panel);
  }

  document.addEventListener("click", (event) => {
    const tab = event.target.closest(".tabs a");
    if (tab) {
      event.preventDefault();
      return bring(document.querySelector(tab.hash));
    }
    const missing = event.target.closest("#vote [name=choice]") && unread();
    if (missing) {
      event.preventDefault();
      bring(missing); // so the same press a second time votes
    }
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    if (!["1", "2", "3", "4"].includes(event.key)) return;
    document.querySelectorAll("#vote [name=choice]")[event.key - 1]?.click();
  });

  narrow.addEventListener("change", refresh);
  document.addEventListener("htmx:after:swap", watch);
  watch();
})();
