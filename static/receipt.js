// A receipt checked by the reader's own device: all that its file claims is computed anew (docs/receipts.md).
"use strict";

(() => {
  const hex = (text) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
  const base64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const same = (one, other) => one.length === other.length && one.every((byte, place) => byte === other[place]);
  const sha256 = async (...parts) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", await new Blob(parts).arrayBuffer()));
  const leafHash = (body) => sha256(Uint8Array.of(0), body);
  const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
  const right = (fits) => (fits ? "ok" : "bad");

  /** Whether a path shows that `leaf` stands at `index` in the tree of that size and root: RFC 9162, 2.1.3.2. */
  async function includes(leaf, index, { size, root }, path) {
    if (!Number.isInteger(index) || index < 0 || index >= size) return false;
    let [place, last, found] = [index, size - 1, leaf];
    for (const sibling of path) {
      if (last === 0) return false;
      if (place & 1 || place === last) {
        found = await nodeHash(sibling, found);
        while (place && !(place & 1)) [place, last] = [place >> 1, last >> 1];
      } else found = await nodeHash(found, sibling);
      [place, last] = [place >> 1, last >> 1];
    }
    return last === 0 && same(found, root);
  }

  /** Whether a path shows that the tree `first` begins the larger tree `second`: RFC 9162, 2.1.4.2. */
  async function extended(first, second, path) {
    const nodes = Number.isInteger(Math.log2(first.size)) ? [first.root, ...path] : path;
    let [place, last] = [first.size - 1, second.size - 1];
    while (place & 1) [place, last] = [place >> 1, last >> 1];
    let [was, is] = [nodes[0], nodes[0]];
    for (const sibling of nodes.slice(1)) {
      if (last === 0) return false;
      if (place & 1 || place === last) {
        [was, is] = [await nodeHash(sibling, was), await nodeHash(sibling, is)];
        while (place && !(place & 1)) [place, last] = [place >> 1, last >> 1];
      } else is = await nodeHash(is, sibling);
      [place, last] = [place >> 1, last >> 1];
    }
    return path.length > 0 && last === 0 && same(was, first.root) && same(is, second.root);
  }

  const textOf = (note) => note.slice(0, note.lastIndexOf("\n\n") + 1);
  /** Whether the file's key signed a note (C2SP signed-note, Ed25519); "unable" in a browser without Ed25519. */
  async function signature(note, file) {
    const [, name, id, rest] = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(file.key);
    const key = base64(rest);
    if (name !== file.origin || key[0] !== 1 || !same((await sha256(name, "\n", key)).slice(0, 4), hex(id))) return "bad";
    const lines = note.slice(textOf(note).length + 1).split("\n").filter((line) => line.startsWith(`— ${name} `));
    const signed = lines.map((line) => base64(line.slice(name.length + 3))).find((s) => same(s.slice(0, 4), hex(id)));
    try {
      const text = new TextEncoder().encode(textOf(note));
      const verifier = await crypto.subtle.importKey("raw", key.slice(1), "Ed25519", false, ["verify"]);
      return right(await crypto.subtle.verify("Ed25519", verifier, signed.slice(4), text));
    } catch (error) {
      return error.name === "NotSupportedError" ? "unable" : "bad";
    }
  }

  function checkpoint(file) {
    const [origin, size, root] = textOf(file.proof.checkpoint).split("\n");
    if (origin !== file.origin || !/^[1-9][0-9]{0,8}$/.test(size)) throw new Error("not this ledger's checkpoint");
    return { size: Number(size), root: base64(root) };
  }

  /** What the last check saw of a round's ledger: its key, which holds its name, and a checkpoint's size and root. */
  function recall({ round }) {
    try { return JSON.parse(localStorage.getItem(`ledger ${round}`)) ?? {}; } catch { return {}; }
  }

  function remember({ round }, file, before) {
    const { size, root } = file.proof ? checkpoint(file) : before;
    const seen = { key: file.key, size, root: root && [...root] };
    try { localStorage.setItem(`ledger ${round}`, JSON.stringify(seen)); } catch { /* a browser may keep nothing */ }
  }

  /** Each is an outcome, for which the page has words; one that throws is "bad". */
  const STEPS = {
    said({ leaf }, { choice, at, round, battle, questions }) {
      const entry = JSON.parse(leaf);
      const told = [entry.type, entry.choice, entry.at, entry.round, entry.battle, String(entry.turns.length)];
      return right(told.join("\n") === ["vote.cast", choice, at, round, battle, questions].join("\n"));
    },
    async promised(file) {
      if (!file.promise) return "missing";
      const digest = btoa(String.fromCharCode(...await leafHash(file.leaf)));
      if (textOf(file.promise) !== `${file.origin}\npromise\n${digest}\n`) return "bad";
      return signature(file.promise, file);
    },
    async included(file, page) {
      if (!file.proof) return "pending" in page ? "missing" : "bad";
      const { index, hashes } = file.proof;
      return right(await includes(await leafHash(file.leaf), index, checkpoint(file), hashes.map(hex)));
    },
    signed: async (file) => (file.proof ? signature(file.proof.checkpoint, file) : "missing"),
    known: (file, _page, before) => (before.key ? right(before.key === file.key) : "first"),
    async kept(file, page, { size, root }) {
      if (!file.proof) return "missing";
      if (!size) return "first";
      const now = checkpoint(file);
      if (now.size <= size) return right(now.size === size && same(root, now.root));
      const asked = `/api/v1/rounds/${page.round}/proofs/consistency?first=${size}&second=${now.size}`;
      const answer = await fetch(asked, { cache: "no-store" }).catch(() => null);
      if (!answer?.ok) return "unable";
      return right(await extended({ size, root: Uint8Array.from(root) }, now, (await answer.json()).hashes.map(hex)));
    },
  };

  async function check(section) {
    if (!globalThis.crypto?.subtle) return "insecure";
    const answer = await fetch(section.dataset.file, { cache: "no-store" }).catch(() => null);
    const file = answer?.ok && await answer.json().catch(() => null);
    if (!file) return "failed";
    const page = document.getElementById("receipt").dataset;
    const [before, outcomes] = [recall(page), []];
    for (const item of section.querySelectorAll("[data-step]")) {
      const step = Promise.resolve().then(() => STEPS[item.dataset.step](file, page, before));
      outcomes.push(item.dataset.outcome = await step.catch(() => "bad"));
      Object.assign(item, { textContent: item.dataset[item.dataset.outcome], hidden: false });
    }
    if (outcomes.includes("bad")) return "differs";
    if (outcomes.at(-1) !== "unable") remember(page, file, before);
    return outcomes.some((outcome) => ["missing", "unable"].includes(outcome)) ? "open" : "agreed";
  }

  document.addEventListener("click", async (event) => {
    const section = event.target.closest("#check button")?.closest("#check");
    if (section?.ariaBusy !== "false") return;
    section.ariaBusy = "true";
    const verdict = section.querySelector(".verdict");
    for (const part of section.querySelectorAll(".verdict, [data-step]")) part.hidden = true;
    verdict.dataset.outcome = await check(section);
    Object.assign(verdict, { textContent: section.dataset[verdict.dataset.outcome], hidden: false });
    section.ariaBusy = "false";
  });

  // A vote gets its place soon after it was cast.
  async function follow(wait) {
    const receipt = document.getElementById("receipt");
    if (!("pending" in receipt.dataset)) return;
    const options = { source: receipt, target: receipt, swap: "outerMorph", quiet: true };
    if (!document.hidden) await htmx.ajax("GET", receipt.dataset.url, options);
    setTimeout(follow, wait, Math.min(1.5 * wait, 30_000));
  }
  setTimeout(follow, 1000, 1500);
})();
