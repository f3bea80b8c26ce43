// Keeps an open page true: it is fetched again each half minute, and greyed out where that fails.
"use strict";
(() => {
  const EVERY_MS = 30000;
  const FEW = 10; // rows that nobody needs to filter
  const live = document.getElementById("live");
  let shown = Date.now();

  const filter = () => {
    const box = document.getElementById("filter");
    if (!box || document.querySelectorAll(".slos tbody tr").length <= FEW) return;
    box.closest("label").hidden = false;
    const apply = () => {
      const wanted = box.value.trim().toLowerCase();
      for (const row of document.querySelectorAll(".slos tbody tr")) {
        row.hidden = wanted !== "" && !row.textContent.toLowerCase().includes(wanted);
      }
      for (const piece of document.querySelectorAll(".piece")) {
        piece.hidden = !piece.querySelector("tbody tr:not([hidden])");
      }
    };
    box.addEventListener("input", apply);
    apply();
  };

  const clock = () => new Date(shown).toISOString().slice(11, 19);

  const grey = (why) => {
    document.getElementById("main").classList.add("stale");
    live.classList.add("stale");
    live.textContent = `${why} What is shown is of ${clock()} UTC.`;
  };

  const replace = (text) => {
    const page = new DOMParser().parseFromString(text, "text/html");
    const next = page.getElementById("main");
    if (!next) throw new Error("no page");
    const main = document.getElementById("main");
    const before = document.getElementById("filter");
    const typed = before ? before.value : "";
    const opened = [...main.querySelectorAll("details")].map((one) => one.open);
    const focused = main.contains(document.activeElement) && document.activeElement !== main;
    if (focused || main.contains(document.getSelection().anchorNode)) {
      // Whoever reads or types keeps the place: the page is replaced once they have left it.
      if (Date.now() - shown < 4 * EVERY_MS) return;
    }
    main.replaceWith(document.adoptNode(next));
    next.querySelectorAll("details").forEach((one, index) => { one.open = opened[index] || false; });
    document.title = page.title;
    const box = document.getElementById("filter");
    if (box) box.value = typed;
    shown = Date.now();
    live.classList.remove("stale");
    live.textContent = "";
    filter();
  };

  const refresh = async () => {
    if (document.hidden) return;
    try {
      const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(25000) });
      replace(await answer.text());
    } catch {
      grey("The status page does not answer.");
    }
  };

  filter();
  setInterval(refresh, EVERY_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    if (Date.now() - shown > 2 * EVERY_MS) grey("Refreshing.");
    refresh();
  });
})();
