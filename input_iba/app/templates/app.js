"use strict";

const byId = (id) => document.getElementById(id);
const model = byId("model");
let image = null;

const chosen = () => model.selectedOptions[0];
const kind = () => chosen().dataset.kind;

function say(message, bad = false) {
  byId("status").textContent = message;
  byId("status").classList.toggle("bad", bad);
}

/** Show what the chosen network takes, and the methods that explain it. */
function suit() {
  for (const name of ["images", "texts"]) byId(name).hidden = kind() !== name;
  byId("named").hidden = chosen().value !== "";
  for (const option of document.querySelectorAll("#method option, #beside option")) {
    option.hidden = option.disabled = Boolean(option.dataset.kind) && option.dataset.kind !== kind();
  }
}

function take(file) {
  if (!file) return;
  image = file;
  byId("preview").src = URL.createObjectURL(file);
  byId("preview").hidden = false;
  byId("hint").textContent = file.name;
}

/** Ask the server; an error is thrown with the message that it has for the visitor. */
async function call(path, how = {}) {
  const response = await fetch(path, { ...how, headers: { "X-Input-IBA": "1" } });
  const found = await response.json().catch(() => ({ message: response.statusText }));
  if (!response.ok) throw new Error(found.message);
  return found;
}

function told(job) {
  const bar = byId("progress");
  bar.hidden = false;
  if (job.state === "waiting") {
    bar.removeAttribute("value");
    return say(job.ahead ? `${job.ahead} before you …` : "Next …");
  }
  bar.max = job.of || 1;
  bar.value = job.done;
  say(job.of > 1 ? `${job.stage}: ${job.done} of ${job.of}` : `${job.stage || "Begun"} …`);
}

function show(key, html) {
  byId("answer").innerHTML = html; // our own server's, which escapes every value
  byId("sliders").hidden = !document.querySelector(".heat");
  for (const link of document.querySelectorAll("[data-file]")) {
    link.href = `jobs/${key}/${link.dataset.file}`;
    link.download = link.dataset.file;
  }
  for (const button of document.querySelectorAll("[data-class]")) {
    button.addEventListener("click", () => {
      byId("target").value = button.dataset.class;
      byId("ask").requestSubmit();
    });
  }
}

async function ask() {
  const asked = new URLSearchParams({ kind: kind(), model: model.value || byId("name").value });
  for (const id of ["target", "instead_of", "method", "beside"]) asked.set(id, byId(id).value);
  const body = kind() === "texts" ? byId("text").value : image;
  const most = Number(byId("file").dataset.most); // a server that has enough does not listen
  if (body?.size > most) throw new Error(`The file is larger than ${most / 1e6} MB. Make it smaller.`);
  const { job: key } = await call(`jobs?${asked}`, { method: "POST", body });
  for (;;) {
    const job = await call(`jobs/${key}`);
    if (job.state === "failed") throw new Error(job.message);
    if (job.state === "done") return show(key, job.html);
    told(job);
    await new Promise((wake) => setTimeout(wake, 300));
  }
}

byId("ask").addEventListener("submit", async (event) => {
  event.preventDefault();
  byId("explain").disabled = true;
  say("Sent …");
  try {
    await ask();
    say("Done.");
  } catch (error) {
    say(error.message || "The page cannot reach its server.", true);
  }
  byId("explain").disabled = false;
  byId("progress").hidden = true;
});
model.addEventListener("change", suit);
byId("file").addEventListener("change", ({ target }) => take(target.files[0]));
const drop = byId("drop");
for (const name of ["dragover", "dragleave", "drop"]) {
  drop.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.toggle("over", name === "dragover");
    if (name === "drop") take(event.dataTransfer.files[0]);
  });
}
byId("opacity").addEventListener("input", ({ target }) => {
  document.documentElement.style.setProperty("--opacity", target.value / 100);
});
byId("threshold").addEventListener("input", ({ target }) => {
  const table = Array.from({ length: 256 }, (_, i) => (i / 2.55 < target.value ? 0 : i / 255));
  byId("cut").setAttribute("tableValues", table.join(" "));
});
suit();
