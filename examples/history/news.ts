import { type EventStore, Outbox, type RecordedEvent } from "event-sourcery";
import { catchUp, lease } from "./catchup.ts";
import { dim, fit, green, things } from "./chart.ts";
import { BranchesMerged, CommitMade, type HistoryEvent, VersionTagged } from "./events.ts";
import { speed } from "./progress.ts";

/** How many of the newest are printed one by one: a first run has thousands. */
const shown = 5;

/** Reports whether an event is published: commits and tags are. */
export function isNews(event: HistoryEvent): boolean {
  return CommitMade.is(event) || BranchesMerged.is(event) || VersionTagged.is(event);
}

/** Prints the events that are not published yet. A broker or a chat would get them in the same way. */
export async function publishNews<Db>(store: EventStore<HistoryEvent, Db>): Promise<void> {
  const start = performance.now();
  let newest: readonly RecordedEvent<HistoryEvent>[] = [];
  const outbox = new Outbox(store, {
    name: "news",
    lease,
    publishBatch: (events) => void (newest = [...newest, ...events].slice(-shown)),
  });
  const handled = await catchUp(outbox, await store.position());
  if (handled === 0) return;
  const more = handled > shown ? `, the newest of them` : "";
  console.log(
    `Published ${things(handled, "commit or tag", "commits and tags")} ${
      speed(handled, start)
    }${more}:`,
  );
  for (const event of newest) console.log(`  ${line(event)}`);
}

function line(event: RecordedEvent<HistoryEvent>): string {
  const day = event.createdAt.toISOString().slice(0, 10);
  if (VersionTagged.is(event)) {
    return `${dim(day)} ${green(`◆ ${fit(event.data.name, 60).trim()}`)}`;
  }
  if (!CommitMade.is(event) && !BranchesMerged.is(event)) return `${dim(day)} ${event.type}`;
  const { hash, subject } = event.data;
  return `${dim(`${day} ${hash.slice(0, 7)}`)} ${fit(subject, 60).trim()}`.trim();
}
