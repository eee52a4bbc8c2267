// Keys, the slider, and how far the reading is. Texts are set as text; nothing is made markup of.
"use strict";

const find = (selector) => document.querySelector(selector);

const go = (selector) => {
  const link = find(selector);
  if (link) window.location.assign(link.href);
};

// Next and previous: another card where there are cards, another document where one is read.
const step = (by) => {
  const cards = [...document.querySelectorAll(".card a, .hit a")];
  if (!cards.length) return go(by > 0 ? "link[rel=next]" : "link[rel=prev]");
  const at = cards.indexOf(document.activeElement);
  const to = cards[at < 0 ? (by > 0 ? 0 : cards.length - 1) : at + by];
  if (to) {
    to.focus();
    to.scrollIntoView({ block: "nearest" });
  }
};

const keys = {
  j: () => step(1),
  k: () => step(-1),
  ArrowRight: () => go("link[rel=next], a[rel=next]"),
  ArrowLeft: () => go("link[rel=prev], a[rel=prev]"),
  u: () => go("link[rel=up]"),
  g: () => window.location.assign("/"),
  "/": () => find("input[type=search]")?.select(),
  "?": () => find("#keys").showModal(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || find("dialog[open]")) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});

// The slider asks the server, which counts; answers that come too late are not shown.
const slider = find("#slider");
if (slider) {
  const typed = find("#at");
  const [low, high] = [Number(slider.dataset.low), Number(slider.dataset.high)];
  const isLog = slider.dataset.scale === "log";
  const steps = Number(slider.max);
  const valueOf = (share) => (isLog ? low * (high / low) ** share : low + (high - low) * share);
  const shareOf = (value) =>
    isLog ? Math.log(Math.max(value, low) / low) / Math.log(high / low) : (value - low) / (high - low);
  let asked = null;
  let timer = 0;

  const show = (answer) => {
    for (const [id, text] of Object.entries(answer.texts)) {
      document.getElementById(id).textContent = text;
    }
    for (const [id, attributes] of Object.entries(answer.attributes)) {
      for (const [name, value] of Object.entries(attributes)) {
        document.getElementById(id).setAttribute(name, value);
      }
    }
  };

  const ask = async () => {
    asked?.abort();
    asked = new AbortController();
    try {
      const answer = await fetch(`${slider.dataset.ask}&at=${encodeURIComponent(typed.value)}`, { signal: asked.signal });
      if (answer.ok) show(await answer.json());
    } catch (error) {
      if (error.name !== "AbortError") find("#rule").textContent = "… the server does not answer";
    }
  };

  const later = () => {
    slider.setAttribute("aria-valuetext", typed.value);
    clearTimeout(timer);
    timer = setTimeout(ask, 60);
  };

  slider.addEventListener("input", () => {
    typed.value = String(Number(valueOf(slider.value / steps).toPrecision(4)));
    later();
  });
  typed.addEventListener("input", () => {
    if (typed.value === "") return;
    slider.value = String(Math.round(shareOf(Number(typed.value)) * steps));
    later();
  });
  for (const choice of document.querySelectorAll("#choice select")) {
    choice.addEventListener("change", () => {
      if (choice.name === "measure") typed.value = "";
      choice.form.requestSubmit();
    });
  }
}

// How far the reading of facts is.
const busy = find("#busy");
if (busy && !busy.hidden) {
  const look = async () => {
    const answer = await fetch("/progress").catch(() => null);
    if (!answer?.ok) return;
    const text = (await answer.json()).busy;
    busy.textContent = text || "all read: load this page again";
    if (text) setTimeout(look, 1000);
  };
  setTimeout(look, 1000);
}
