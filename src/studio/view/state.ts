import type { DiffLine } from "../../inspect/diff.ts";
import type { StateDiff } from "../../inspect/state.ts";
import { type Html, markup } from "../frame/html.ts";
import { coloured } from "./json.ts";

/** The most lines that are shown. */
const most = 2000;

/** Shows a state with what changed in it, or why it cannot be shown. */
export function stateLines({ from, to, lines, complete }: StateDiff): Html {
  const problem = to.problem ?? from.problem;
  if (problem !== undefined) {
    return markup`<div class="empty"><strong>The state cannot be shown</strong><div class="error">${problem.message}</div></div>`;
  }
  if (lines.length === 0) {
    return markup`<div class="empty"><strong>Nothing</strong>Before its first event a stream has no state.</div>`;
  }
  return markup`<pre class="lines" tabindex="0">${lines.slice(0, most).map(line)}</pre>${
    !complete &&
    markup`<p class="pad soft small">There are too many lines to compare: those of both states follow one another.</p>`
  }${
    lines.length > most && markup`<p class="pad soft small">${lines.length - most} more lines</p>`
  }`;
}

const signs = { added: "+", removed: "−", same: "" } as const;

function line({ kind, text }: DiffLine): Html {
  return markup`<span class="${kind}"><i>${signs[kind]}</i>${coloured(text)}</span>`;
}
