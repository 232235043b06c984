import assert from "node:assert/strict";
import type { RecordedEvent } from "event-sourcery";
import type { Delivered, Entry, Written } from "./journal.ts";
import { seed } from "./seed.ts";

/** What must hold of a journal, whatever the workers and their databases went through. */
export function judge(entries: readonly Entry[], log: readonly RecordedEvent[]): void {
  const committed = new Set<string>();
  const faulty = new Set<string>();
  const frozen = new Set<string>();
  const stored = new Map(log.map((event) => [event.id, event]));
  const last = new Map<string, { readonly worker: string }>();
  const versions = new Map<string, number>();
  const progress = new Progress();
  for (const [line, entry] of entries.entries()) {
    const place = `line ${line + 1} (SEED=${seed}): ${JSON.stringify(entry)}`;
    if (entry.what === "committing") { for (const id of entry.ids) committed.add(id); }
    if (entry.what === "killed" || entry.what === "stopped") faulty.add(entry.worker);
    if (entry.what === "stopped") frozen.add(entry.worker);
    if (entry.what === "wrote") progress.note(entry.progress);
    if (entry.what !== "delivered") continue;
    const { worker, event } = entry;
    assert.ok(committed.has(event.id), `delivered before its commit, ${place}`);
    assert.equal(stored.get(event.id)?.position, event.position, `it was rolled back, ${place}`);
    const before = last.get(event.id);
    last.set(event.id, entry);
    if (before === undefined) {
      const expected = nextVersion(log, committed, event.streamId, versions.get(event.streamId));
      assert.equal(event.version, expected, `first deliveries of a stream in order, ${place}`);
      versions.set(event.streamId, event.version);
    } else {
      assert.ok(
        faulty.has(worker) || faulty.has(before.worker),
        `delivered again, though no delivery failed, ${place}`,
      );
      assert.ok(
        frozen.has(worker) || !progress.passed(event),
        `delivered again, though a checkpoint had passed it, ${place}`,
      );
    }
  }
  const lost = log.filter(({ id }) => committed.has(id) && !last.has(id));
  assert.deepEqual(lost.map(({ streamId, version }) => [streamId, version]), [], `SEED=${seed}`);
}

/** What a projection has to have seen: every version of every stream, once, in order. */
export function fold(log: readonly RecordedEvent[]): Readonly<Record<string, string>> {
  const seen: Record<string, string> = {};
  for (const { streamId, version } of log) {
    seen[streamId] = seen[streamId] === undefined ? `${version}` : `${seen[streamId]},${version}`;
  }
  return seen;
}

/** The version of a stream's next event that is to be delivered at all. */
function nextVersion(
  log: readonly RecordedEvent[],
  published: ReadonlySet<string>,
  streamId: string,
  after = 0,
): number | undefined {
  const next = log.find((event) =>
    event.streamId === streamId && event.version > after && published.has(event.id)
  );
  return next?.version;
}

/** Which events are done with: those up to the checkpoint, but for those that parked streams wait with. */
class Progress {
  #position = 0;
  readonly #parked: Map<string, number> = new Map();

  note({ position, parked, deferred, released }: Written): void {
    this.#position = Math.max(this.#position, position);
    for (const park of parked) {
      const before = this.#parked.get(park.streamId) ?? 0;
      this.#parked.set(park.streamId, Math.max(before, park.position));
    }
    for (const { streamId, position } of deferred) {
      if (!this.#parked.has(streamId)) this.#parked.set(streamId, position);
    }
    for (const { streamId } of released) this.#parked.delete(streamId);
  }

  passed({ streamId, position }: Delivered): boolean {
    return position <= this.#position && position < (this.#parked.get(streamId) ?? Infinity);
  }
}
