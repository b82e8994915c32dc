// What every page needs: messages after failed requests, focus after swaps, keys that submit, copy buttons.
"use strict";

(() => {
  const problem = document.getElementById("problem");
  const main = document.getElementById("main");

  // An error's page part must not take the place of what the reader was looking at.
  document.addEventListener("htmx:before:swap", (event) => {
    const { ctx, tasks } = event.detail;
    const task = tasks.find((candidate) => candidate.type === "main");
    if (!task?.fragment.querySelector(".error-part")) return;
    if (ctx.quiet) return event.preventDefault();
    task.target = problem;
    task.swapSpec = { style: "innerHTML" };
  });

  document.addEventListener("htmx:error", (event) => {
    if (!event.detail.ctx || event.detail.ctx.quiet) return;
    problem.replaceChildren(document.getElementById("offline").content.cloneNode(true));
  });

  document.addEventListener("htmx:before:request", (event) => {
    if (!event.detail.ctx.quiet) problem.replaceChildren();
  });

  document.addEventListener("click", (event) => {
    if (event.target.closest(".dismiss")) problem.replaceChildren();
  });

  // The address that is shown already needs no second entry in the history.
  document.addEventListener("htmx:before:history:update", (event) => {
    if (event.detail.history.path === location.pathname) event.preventDefault();
  });

  document.addEventListener("htmx:after:swap", (event) => {
    const title = main.querySelector("[data-title]")?.dataset.title;
    if (title) document.title = title;
    if (event.detail.ctx.target === main && !main.contains(document.activeElement)) {
      main.focus({ preventScroll: true });
    }
    offerCodeCopies();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (!event.target.matches("[data-submit-keys]")) return;
    event.preventDefault();
    event.target.form.requestSubmit();
  });

  // Forms that htmx does not send: the second press of a button is dropped, the first keeps its button's value.
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.hasAttribute("hx-post")) return;
    if (form.dataset.sent) event.preventDefault();
    if (form.matches(".preferences")) form.elements.next.value = location.pathname;
    form.dataset.sent = "yes";
  });
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], .code > button");
    if (!button) return;
    const source = button.dataset.copy
      ? document.querySelector(`#${button.dataset.copy} [data-answer]`)
      : button.parentElement.querySelector("pre");
    await navigator.clipboard.writeText(readableText(source));
    const words = button.querySelector("span");
    const before = words.textContent;
    words.textContent = document.getElementById("announce").textContent =
      document.getElementById("battle").dataset.copied;
    setTimeout(() => { words.textContent = before; }, 2000);
  });

  function readableText(element) {
    const copy = element.cloneNode(true);
    for (const button of copy.querySelectorAll("button")) button.remove();
    document.body.append(copy);
    const text = copy.innerText.trim();
    copy.remove();
    return text;
  }

  // Complete answers never change, so their code gets its buttons once and morphing leaves them alone.
  function offerCodeCopies() {
    const label = document.getElementById("battle")?.dataset.copyCode;
    for (const answer of document.querySelectorAll('[data-state="complete"] [data-answer]:not([hx-morph-skip])')) {
      answer.setAttribute("hx-morph-skip", "");
      for (const pre of answer.querySelectorAll("pre")) {
        const box = document.createElement("div");
        box.className = "code";
        const button = document.createElement("button");
        button.type = "button";
        button.className = "quiet";
        const words = document.createElement("span");
        words.textContent = label;
        button.append(words);
        pre.replaceWith(box);
        box.append(button, pre);
      }
    }
  }

  offerCodeCopies();
})();
