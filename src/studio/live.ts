import { categoryOf } from "../event/stream.ts";
import type { LogSearch } from "../inspect/log.ts";
import type { InspectedEvent } from "../inspect/event.ts";
import type { Inspector } from "../inspect/inspector.ts";
import { eventRow } from "./view/event.ts";
import { markup } from "./frame/html.ts";
import type { Tail } from "./tail.ts";
import type { View } from "./view/view.ts";

const pause = 1000;
/** Until a comment is sent, and until the stream ends: the browser then asks again. */
const [quiet, longest] = [15_000, 600_000];
/** The most rows at a time. */
const most = 20;

/** Which events a viewer wants to see. */
type Wanted = Pick<LogSearch, "types" | "categories" | "tags"> & {
  readonly tenantId: string | undefined;
  /** Aborts when the viewer leaves. */
  readonly signal: AbortSignal;
};

/** Streams the rows of new events, as server-sent events whose ids are positions. */
export function liveRows(
  view: View,
  tail: Tail,
  after: number,
  wanted: Wanted,
  onEnd: () => void,
): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  const begun = performance.now();
  let [position, spoke, ended, started] = [after, begun, false, false];
  let wake: (() => void) | undefined;
  const end = () => {
    if (!ended) onEnd();
    ended = true;
    wake?.();
  };
  wanted.signal.addEventListener("abort", end, { once: true });
  const sleep = () =>
    new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, pause);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const say = (text: string) => {
        spoke = performance.now();
        controller.enqueue(encoder.encode(text));
      };
      try {
        if (!started) {
          started = true;
          const missed = await since(view.inspector, position, wanted);
          await tail.look();
          position = Math.max(position, missed.head);
          return say(`retry: 3000\n\n${message(view, missed.events, missed.more, position)}`);
        }
        while (!ended && performance.now() - begun < longest) {
          await tail.look();
          const { events, missed } = tail.since(position);
          const shown = events.filter((event) => matches(event, wanted)).toReversed();
          position = Math.max(position, tail.position);
          const left = Math.max(0, shown.length - most) + missed;
          const more = left > 0 ? `${view.format(left)} more in this second` : undefined;
          const text = message(view, shown.slice(0, most), more, position);
          if (text !== "") return say(text);
          if (performance.now() - spoke > quiet) return say(": quiet\n\n");
          await sleep();
        }
      } catch {
        // The browser asks again, and then sees what is wrong.
      }
      if (!ended) controller.close();
      end();
    },
    cancel: end,
  }, { highWaterMark: 0 });
}

/** Reads what was appended since a position, so that nothing is lost between two connections. */
async function since(inspector: Inspector, position: number, wanted: Wanted) {
  const { types, categories, tags } = wanted;
  const { events, head } = await inspector.log({ types, categories, tags, limit: most + 1 });
  const fresh = events.filter((event) =>
    event.stored.position > position && matches(event, wanted)
  );
  return {
    events: fresh.slice(0, most),
    more: fresh.length > most ? "There are more" : undefined,
    head,
  };
}

function message(
  view: View,
  events: readonly InspectedEvent[],
  more: string | undefined,
  position: number,
): string {
  if (events.length === 0 && more === undefined) return "";
  const now = { ...view, now: new Date() };
  const rows = markup`${events.map((event) => eventRow(now, event, true))}${
    more !== undefined &&
    markup`<tr><td></td><td class="soft" colspan="4">${more}: load the page again to see them</td></tr>`
  }`;
  const data = rows.toString().split(/\r\n|[\r\n]/).map((line) => `data: ${line}\n`).join("");
  return `event: rows\nid: ${position}\n${data}\n`;
}

function matches(
  { stored, event }: InspectedEvent,
  { types, categories, tags, tenantId }: Wanted,
): boolean {
  const category = categoryOf(stored.streamId);
  return (types === undefined || types.includes(stored.type) ||
    types.includes(event?.type ?? "")) &&
    (categories === undefined || categories.includes(category)) &&
    (tags === undefined || tags.every((tag) => stored.tags.includes(tag))) &&
    (tenantId === undefined || stored.tenantId === tenantId);
}
