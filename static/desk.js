// A round's desk: its numbers are read again while the tab is seen; fingerprints are copied.
"use strict";

(() => {
  setInterval(() => {
    const numbers = document.querySelector("[data-refresh]");
    if (!numbers || document.hidden) return;
    numbers.dispatchEvent(new Event("refresh"));
  }, 1000 * (document.querySelector("[data-refresh]")?.dataset.refresh ?? 60));

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy-text]");
    if (!button) return;
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copyText).textContent.trim());
    const words = button.querySelector("span");
    const before = words.textContent;
    words.textContent = document.getElementById("announce").textContent = button.dataset.copied;
    setTimeout(() => { words.textContent = before; }, 2000);
  });
})();
