import { type Html, markup } from "./html.ts";

/**
 * The script of all pages, which work without it: keys, copying, live rows, how far a consumer is behind. Hashed as a whole,
 * as the style is.
 */
export const script: Html = markup`(() => {
const $ = (selector) => document.querySelector(selector);
const all = (selector) => [...document.querySelectorAll(selector)];
const help = $("#keys");
let pending = "";
let chosen = -1;
const go = (selector) => { const link = $(selector); if (link) location.href = link.href; };
const choose = (step) => {
  const rows = all("[data-row]");
  if (rows.length === 0) return;
  chosen = Math.max(0, Math.min(rows.length - 1, chosen + step));
  rows[chosen].focus();
};
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) return;
  const { key } = event;
  if (pending === "g") { pending = ""; go('[data-go="' + (/^[a-z]$/.test(key) ? key : "") + '"]'); return; }
  if (key === "/") { event.preventDefault(); $("#find").focus(); }
  else if (key === "g") pending = "g";
  else if (key === "j") choose(1);
  else if (key === "k") choose(-1);
  else if (key === "[") go("[data-older]");
  else if (key === "]") go("[data-newer]");
  else if (key === "?") help.showModal();
});
addEventListener("focusin", (event) => {
  const index = all("[data-row]").indexOf(event.target);
  if (index >= 0) chosen = index;
});
addEventListener("click", (event) => {
  const target = event.target.closest("[data-copy],[data-keys],[data-live]");
  if (!target) return;
  if (target.dataset.keys !== undefined) { event.preventDefault(); help.showModal(); }
  if (target.dataset.copy !== undefined) {
    const { textContent } = document.getElementById(target.dataset.copy);
    navigator.clipboard.writeText(textContent).then(() => { target.textContent = "Copied"; });
  }
});
for (const element of all("[data-script]")) element.hidden = false;
const line = $("[data-lag]");
if (line) {
  const seen = [];
  const ask = async () => {
    if (document.hidden) return;
    const response = await fetch(line.dataset.lag).catch(() => undefined);
    if (!response || !response.ok) return;
    seen.push(Number(await response.text()));
    if (seen.length > 120) seen.shift();
    const most = Math.max(...seen);
    const place = (value, index) => (index * 600 / 119).toFixed(1) + "," + (96 - 92 * value / Math.max(1, most)).toFixed(1);
    line.querySelector("polyline").setAttribute("points", seen.map(place).join(" "));
    const text = seen.at(-1) + " now, " + most + " at most";
    line.setAttribute("aria-label", "Positions behind: " + text);
    $("#lag").textContent = text;
  };
  ask();
  setInterval(ask, 5000);
}
const body = $("[data-stream]");
if (!body) return;
const state = $("#live");
let source;
const say = (text) => { state.querySelector("span").textContent = text; };
const start = () => {
  if (source || document.hidden) return;
  source = new EventSource(body.dataset.stream + "&after=" + body.dataset.after);
  source.onopen = () => say("Live");
  source.onerror = () => say("Connecting");
  source.addEventListener("rows", (event) => {
    if (event.lastEventId) body.dataset.after = event.lastEventId;
    const empty = $("[data-none]");
    if (empty) empty.hidden = true;
    body.closest("table").hidden = false;
    body.insertAdjacentHTML("afterbegin", event.data);
    while (body.rows.length > 200) body.lastElementChild.remove();
  });
};
const stop = (text) => { if (source) { source.close(); source = undefined; } say(text); };
document.addEventListener("visibilitychange", () => document.hidden ? stop("Paused") : start());
addEventListener("scroll", () => scrollY > 400 ? stop("Paused while you read; scroll up to go on") : start(), { passive: true });
start();
})();`;
