"use strict";
// The report's controls. Everything that is shown stands in the page; this script only sets what
// is visible, in which order, and how strongly maps are laid over images and words.

const byId = (id) => document.getElementById(id);
const percent = (value) => `${value} %`;

/** Show a slider's value beside it, and do something with it, now and whenever it changes. */
function onSlide(id, apply) {
  const slider = byId(id);
  if (!slider) return;
  const update = () => {
    byId(`${id}-value`).textContent = percent(slider.value);
    slider.setAttribute("aria-valuetext", percent(slider.value));
    apply(slider.value / 100);
  };
  slider.addEventListener("input", update);
  update();
}

// ---- overlays ---------------------------------------------------------------------------------

const TABLE_STEPS = 255;

/** Make the filter's opacities: as strong as the map is hot, and none below the threshold. */
function cutHeat(threshold) {
  const table = Array.from({ length: TABLE_STEPS + 1 }, (_, i) => {
    const heat = i / TABLE_STEPS;
    return heat < threshold ? "0" : heat.toFixed(3);
  });
  byId("cut").setAttribute("tableValues", table.join(" "));
}

// ---- reviews ----------------------------------------------------------------------------------

let wordThreshold = 0;
const wordMask = byId("words");

function mark(span) {
  span.classList.toggle("cold", Number(span.style.getPropertyValue("--heat")) < wordThreshold);
}

/** Return the value at which colour begins: the median, as `word_heats` in words.py explains. */
function leastColoured(values, high) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  return middle < high ? middle : sorted[0];
}

/** Return what colours a text: what is chosen, or the input mask where a method has no map. */
function shownMask(text) {
  const kind = wordMask?.value ?? "map";
  return kind === "map" && !text.hasAttribute("data-map") ? "input_mask" : kind;
}

/** Give every word of a text the colour of its value, up to the largest. */
function colourWords(text) {
  const spans = wordSpans(text);
  const kind = shownMask(text);
  const values = (text.getAttribute(`data-${kind.replace("_", "-")}`) || "").split(" ").map(Number);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = leastColoured(values, high);
  spans.forEach((span, i) => {
    const heat = high > low ? Math.max(values[i] - low, 0) / (high - low) : 0;
    span.style.setProperty("--heat", heat.toFixed(3));
    span.title = String(values[i]);
    mark(span);
  });
  text.dataset.shown = kind;
}

/** Return the spans of a text's words, made at the first call from the lengths of its parts. */
function wordSpans(text) {
  if (!text.firstElementChild) {
    const whole = text.textContent;
    let at = 0;
    text.textContent = "";
    text.dataset.places.split(" ").map(Number).forEach((length, i) => {
      const part = whole.slice(at, (at += length));
      if (i % 2 === 0) { text.append(part); return; }  // what stands around words
      const span = document.createElement("span");
      span.textContent = part;
      span.tabIndex = -1;
      text.append(span);
    });
  }
  return [...text.children];
}

function tellWord(span) {
  const text = span.parentElement;
  const told = text.parentElement.querySelector(".told");
  const unit = ["map", "feature_mask"].includes(shownMask(text)) ? " bits" : "";
  if (told) told.textContent = `${span.textContent}: ${span.title}${unit}`;
}

/** Colour a text when it comes into view. */
const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting && target.dataset.shown !== shownMask(target)) {
        colourWords(target);
      }
    }
  },
  { rootMargin: "600px" },
);
const texts = [...document.querySelectorAll("p.text")];
texts.forEach((text) => seen.observe(text));

wordMask?.addEventListener("change", () => {
  // Observing anew reports at once which texts are in view.
  texts.forEach((text) => { seen.unobserve(text); seen.observe(text); });
});

/** Go from word to word with the arrow keys. */
function stepWords(event) {
  const text = event.target.closest("p.text");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!text || !step) return false;
  const spans = wordSpans(text);
  const at = spans.indexOf(event.target);
  const next = at < 0 ? spans[0] : spans[at + step];
  if (next) next.focus();
  return true;
}

// ---- samples ----------------------------------------------------------------------------------

const feed = byId("feed");
const samples = feed ? [...feed.children].map(readSample) : [];

function readSample(element, place) {
  const { id, class: name } = element.dataset;
  const keys = element.dataset.keys.split(" ").map((key) => (key === "-" ? NaN : Number(key)));
  return { element, place, id, name, keys };
}

/** Return what a sample can be found by: heading, id, other names, words. */
function searched(sample) {
  sample.text ??= [...sample.element.querySelectorAll("h3, h4, .id, .other, p.text")]
    .map((element) => element.textContent)
    .join("\n")
    .replaceAll("\u00a0", " ")
    .toLowerCase();
  return sample.text;
}

function filterSamples() {
  const wanted = byId("search").value.trim().toLowerCase();
  const chosen = byId("class").value;
  let shown = 0;
  for (const sample of samples) {
    const fits = (chosen === "*" || chosen === `=${sample.name}`)
      && (!wanted || searched(sample).includes(wanted));
    sample.element.hidden = !fits;
    shown += fits;
  }
  const total = samples.length.toLocaleString("en");
  byId("count").textContent = shown === samples.length
    ? `${total} ${shown === 1 ? "sample" : "samples"}`
    : `${shown.toLocaleString("en")} of ${total} samples`;
  number();
}

/** Return the order of two samples; those without a number come last, however it is reversed. */
function comparison(option, sign) {
  if (option.value === "order") return (a, b) => sign * (a.place - b.place);
  if (option.value === "id") return (a, b) => sign * a.id.localeCompare(b.id, "en", { numeric: true });
  if (option.value === "class") return (a, b) => sign * a.name.localeCompare(b.name, "en");
  const at = Number(option.value);
  const direction = option.dataset.descending === "1" ? -sign : sign;
  return (a, b) => {
    const [x, y] = [a.keys[at], b.keys[at]];
    if (Number.isNaN(x) || Number.isNaN(y)) return Number.isNaN(x) - Number.isNaN(y);
    return direction * (x - y);
  };
}

function sortSamples() {
  const option = byId("sort").selectedOptions[0];
  const sign = byId("reverse").getAttribute("aria-pressed") === "true" ? -1 : 1;
  const ordered = [...samples].sort(comparison(option, sign));
  const label = option.dataset.label || "";
  for (const { element, keys } of samples) {
    const value = keys[Number(option.value)];
    element.querySelector(".sorted").textContent = label && !Number.isNaN(value)
      ? `${label}: ${value.toPrecision(3)}` : "";
  }
  feed.append(...ordered.map((sample) => sample.element));
  number();
}

function visible() {
  return [...feed.children].filter((element) => !element.hidden);
}

/** Number the visible samples for screen readers; the first one can be reached with Tab. */
function number() {
  visible().forEach((element, i, all) => {
    element.setAttribute("aria-posinset", i + 1);
    element.setAttribute("aria-setsize", all.length);
    element.tabIndex = i ? -1 : 0;
  });
}

/** Go from sample to sample: left and right, Home and End. */
function stepSamples(event) {
  const all = visible();
  const at = all.indexOf(event.target);
  if (at < 0) return false;
  const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined || !all[to]) return false;
  all.forEach((element) => { element.tabIndex = -1; });
  all[to].tabIndex = 0;
  all[to].focus({ preventScroll: true });
  all[to].scrollIntoView({ block: "start" });
  return true;
}

if (byId("tools")) {
  byId("tools").hidden = byId("sliders").hidden = false;
  for (const form of [byId("tools"), byId("sliders")]) {
    form.addEventListener("submit", (event) => event.preventDefault());
    form.reset();
  }
  byId("search").addEventListener("input", filterSamples);
  byId("class").addEventListener("change", filterSamples);
  byId("sort").addEventListener("change", sortSamples);
  byId("reverse").addEventListener("click", ({ currentTarget }) => {
    const pressed = currentTarget.getAttribute("aria-pressed") !== "true";
    currentTarget.setAttribute("aria-pressed", String(pressed));
    sortSamples();
  });
  onSlide("opacity", (value) => document.documentElement.style.setProperty("--opacity", value));
  onSlide("threshold", (value) => {
    wordThreshold = value;
    cutHeat(value);
    document.querySelectorAll("p.text span").forEach(mark);
  });
  feed.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (stepWords(event) || stepSamples(event)) event.preventDefault();
  });
  for (const kind of ["pointerover", "focusin"]) {
    feed.addEventListener(kind, ({ target }) => {
      if (target.matches?.("p.text span")) tellWord(target);
    });
  }
}
