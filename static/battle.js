// Lets both answers of a turn grow from one event stream. All HTML that arrives was cleaned by the server.
"use strict";

(() => {
  const NOT_PLAIN = /[<&\r\0]/;
  const UNFINISHED_ENTITY = /&[#\w]*$/;
  const TABLE_PARTS = new Set(["TABLE", "THEAD", "TBODY", "TR"]);
  const LONGEST_WAIT_MS = 30_000;

  /** One answer: finished blocks stay untouched, the open block at the end is drawn anew from its HTML. */
  class Column {
    constructor(element) {
      this.element = element;
      this.lastDone = null;
      this.open = "";
    }

    reset([done, open]) {
      this.element.innerHTML = done;
      this.lastDone = this.element.lastChild;
      this.open = open;
      this.draw();
    }

    apply(op) {
      if (typeof op === "string") {
        if (op) this.append(op);
        return;
      }
      for (const step of op) {
        if (step === 0) this.freeze();
        else if (typeof step === "string") this.open += step;
        else this.open = this.open.slice(0, this.open.length - step[0]) + step[1];
      }
      this.draw();
    }

    append(text) {
      const node = this.textAtEnd(text);
      this.open += text;
      if (node) node.appendData(text);
      else this.draw();
    }

    /** The text node that plain text would go on in, or null where only parsing the whole block is sure to be right. */
    textAtEnd(text) {
      if (!this.open || this.open.endsWith(">") || NOT_PLAIN.test(text) || UNFINISHED_ENTITY.test(this.open)) return null;
      if (this.open.lastIndexOf("<") > this.open.lastIndexOf(">")) return null;
      let node = this.element;
      while (node.lastChild) node = node.lastChild;
      return node.nodeType === Node.TEXT_NODE && !TABLE_PARTS.has(node.parentNode.tagName) ? node : null;
    }

    freeze() {
      this.draw();
      this.lastDone = this.element.lastChild;
      this.open = "";
    }

    draw() {
      const parsed = document.createElement("template");
      parsed.innerHTML = this.open;
      while (this.element.lastChild !== this.lastDone) this.element.lastChild.remove();
      this.element.append(parsed.content);
    }
  }

  const streams = new Map(); // URL -> { source, turn }
  const failures = new Map(); // URL -> how often in a row the server refused it

  function open(url, turn) {
    const source = new EventSource(url);
    const [a, b] = Array.from(turn.querySelectorAll("[data-answer]"), (element) => new Column(element));
    streams.set(url, { source, turn });

    source.addEventListener("state", (event) => {
      const state = JSON.parse(event.data);
      failures.delete(url);
      a.reset(state.a);
      b.reset(state.b);
    });
    source.onmessage = (event) => {
      const [opA, opB] = JSON.parse(event.data);
      a.apply(opA);
      b.apply(opB);
    };
    source.addEventListener("done", async () => {
      close(url);
      failures.delete(url);
      const complete = document.getElementById("battle").dataset.complete;
      await reload();
      if (document.getElementById("vote")) document.getElementById("announce").textContent = complete;
    });
    source.onerror = () => {
      if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
      const count = failures.get(url) ?? 0;
      failures.set(url, count + 1);
      close(url);
      setTimeout(reload, count && Math.min(1500 * 2 ** count, LONGEST_WAIT_MS));
    };
  }

  function close(url) {
    streams.get(url).source.close();
    streams.delete(url);
  }

  async function reload() {
    const battle = document.getElementById("battle");
    if (!battle) return;
    await htmx.ajax("GET", battle.dataset.url, { source: battle, target: battle, swap: "outerMorph", quiet: true });
    connect();
  }

  /** Makes the open streams those that the page shows as streaming. */
  function connect() {
    const wanted = new Map();
    for (const turn of document.querySelectorAll("[data-stream]")) wanted.set(turn.dataset.stream, turn);
    for (const [url, { turn }] of [...streams]) {
      if (wanted.get(url) !== turn) close(url);
    }
    for (const [url, turn] of wanted) {
      if (!streams.has(url)) open(url, turn);
    }
  }

  document.addEventListener("htmx:after:swap", connect);
  window.addEventListener("pagehide", () => { for (const url of [...streams.keys()]) close(url); });
  window.addEventListener("pageshow", (event) => { if (event.persisted) connect(); });
  connect();
})();
