import { type Content, type Html, markup } from "../frame/html.ts";
import { clip } from "./format.ts";

/** The longest text of a value that is shown, in characters of its JSON. */
const longest = 100_000;

/** Shows a value as JSON that is easy to read, each kind of value in its colour. */
export function json(value: unknown): Html {
  const text = JSON.stringify(value, null, 2) ?? "";
  const shown = text.slice(0, longest);
  const left = text.length - shown.length;
  return markup`<pre class="json" tabindex="0">${coloured(shown)}${
    left > 0 && markup`
<em>${left} more characters</em>`
  }</pre>`;
}

const token =
  /("(?:\\.|[^"\\])*")(\s*:)?|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|\b(true|false|null)\b/g;

/** Colours the values of JSON text. */
export function coloured(text: string): Html {
  const parts: Content[] = [];
  let end = 0;
  for (const match of text.matchAll(token)) {
    const [whole, string, colon, number] = match;
    parts.push(text.slice(end, match.index));
    if (colon !== undefined) parts.push(markup`<b>${string}</b>${colon}`);
    else {
      const kind = string !== undefined ? "string" : number !== undefined ? "number" : "word";
      parts.push(markup`<span class="${kind}">${whole}</span>`);
    }
    end = match.index + whole.length;
  }
  return markup`${parts}${text.slice(end)}`;
}

/** Says what data holds, in a line. */
export function gist(data: unknown): Html {
  if (data === undefined || data === null) return markup`<span class="gist"></span>`;
  if (typeof data !== "object" || Array.isArray(data)) {
    return markup`<span class="gist">${brief(data)}</span>`;
  }
  const entries = Object.entries(data).slice(0, 8);
  return markup`<span class="gist">${
    entries.map(([key, value]) => markup`<i>${clip(key, 40)}</i> ${brief(value)} `)
  }</span>`;
}

function brief(value: unknown): string {
  if (typeof value === "string") return clip(value, 60);
  if (Array.isArray(value)) return value.length === 0 ? "[]" : `[${value.length}]`;
  if (typeof value === "object" && value !== null) return "{…}";
  return clip(String(value), 60);
}
