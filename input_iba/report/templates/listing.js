"use strict";
// The controls of a page that lists many samples: which are found, in which order, a few at a time.
// What is known of all of them stands in the page; each card leads to the page that shows more.

const byId = (id) => document.getElementById(id);
const AT_ONCE = 60;

const listed = JSON.parse(byId("listed").textContent);
const feed = byId("feed");
const searched = listed.ids.map((id, i) =>
  `${id}\n${listed.names[listed.classes[i]]}`.replaceAll("\u00a0", " ").toLowerCase());
const collator = new Intl.Collator("en", { numeric: true });

let ordered = listed.ids.map((_, i) => i);
let found = ordered;

/** Return the order of two samples; those without a number come last, however it is reversed. */
function comparison(option, sign) {
  const { ids, names, classes } = listed;
  if (option.value === "order") return (a, b) => sign * (a - b);
  if (option.value === "id") return (a, b) => sign * collator.compare(ids[a], ids[b]);
  if (option.value === "class") {
    return (a, b) => sign * collator.compare(names[classes[a]], names[classes[b]]);
  }
  const numbers = listed.numbers[Number(option.value)];
  const direction = option.dataset.descending === "1" ? -sign : sign;
  return (a, b) => {
    const [x, y] = [numbers[a], numbers[b]];
    if (x === null || y === null) return (x === null) - (y === null);
    return direction * (x - y);
  };
}

function sortSamples() {
  const sign = byId("reverse").getAttribute("aria-pressed") === "true" ? -1 : 1;
  const order = comparison(byId("sort").selectedOptions[0], sign);
  ordered = listed.ids.map((_, i) => i).sort(order);
  filterSamples();
}

/** Return whether a sample's probability is between two percentages, where these are given. */
function within(low, high) {
  if (Number.isNaN(low) && Number.isNaN(high)) return () => true;
  return (i) => {
    const share = listed.numbers[0][i];
    return share !== null && !(100 * share < low) && !(100 * share > high);
  };
}

function filterSamples() {
  const wanted = byId("search").value.trim().toLowerCase();
  const chosen = byId("class").value;
  const [low, high] = ["low", "high"].map((id) => byId(id)?.valueAsNumber ?? NaN);
  const likely = within(low, high);
  found = ordered.filter((i) => (chosen === "*" || chosen === `=${listed.names[listed.classes[i]]}`)
    && (!wanted || searched[i].includes(wanted)) && likely(i));
  const total = ordered.length.toLocaleString("en");
  byId("count").textContent = found.length === ordered.length
    ? `${total} samples` : `${found.length.toLocaleString("en")} of ${total} samples`;
  feed.replaceChildren();
  showMore();
}

function showMore() {
  const start = feed.children.length;
  const option = byId("sort").selectedOptions[0];
  feed.append(...found.slice(start, start + AT_ONCE).map((i, n) => card(i, start + n, option)));
  byId("more").hidden = feed.children.length === found.length;
}

function made(tag, text, kind = "") {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

/** Return the card of sample i, which is found as number `place`. */
function card(i, place, option) {
  const article = document.createElement("article");
  article.dataset.id = listed.ids[i];
  article.setAttribute("aria-posinset", place + 1);
  article.setAttribute("aria-setsize", found.length);
  const part = Math.floor(i / listed.perPart);
  const link = made("a", listed.names[listed.classes[i]] || "the given loss");
  link.href = `${listed.folder}/${String(part).padStart(4, "0")}.html#s${i % listed.perPart}`;
  const heading = document.createElement("h3");
  heading.append(link);
  if (listed.sheets[part]) article.append(thumbnail(i % listed.perPart, part));
  article.append(heading, made("p", listed.ids[i], "id"));
  const share = byId("low") ? listed.numbers[0][i] : null;
  if (share !== null && option.dataset.label !== "probability") {
    article.append(made("p", `probability: ${share.toPrecision(3)}`, "other"));
  }
  const value = option.dataset.label ? listed.numbers[Number(option.value)][i] : null;
  if (value !== null) {
    article.append(made("p", `${option.dataset.label}: ${value.toPrecision(3)}`, "sorted"));
  }
  return article;
}

/** Return the overlay of a part's sample, cut out of its sheet. */
function thumbnail(at, part) {
  const { side, across, folder } = listed;
  const image = made("div", "", "thumbnail");
  image.style.width = image.style.height = `${side}px`;
  image.style.backgroundImage = `url("${folder}/${String(part).padStart(4, "0")}.jpg")`;
  image.style.backgroundPosition =
    `${-side * (at % across)}px ${-side * Math.floor(at / across)}px`;
  return image;
}

byId("tools").hidden = false;
byId("tools").addEventListener("submit", (event) => event.preventDefault());
byId("tools").reset();
for (const id of ["search", "class", "low", "high"]) {
  byId(id)?.addEventListener("input", filterSamples);
}
byId("sort").addEventListener("change", sortSamples);
byId("reverse").addEventListener("click", ({ currentTarget }) => {
  const pressed = currentTarget.getAttribute("aria-pressed") !== "true";
  currentTarget.setAttribute("aria-pressed", String(pressed));
  sortSamples();
});
byId("more").addEventListener("click", showMore);
filterSamples();
