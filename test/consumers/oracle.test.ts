// The judge of the fault tests is worth what it refuses.
import { EventStore, type RecordedEvent } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Entry, Written } from "../support/journal.ts";
import { judge } from "../support/oracle.ts";
import { Noted } from "../support/relay.ts";
import { all } from "../support/shop.ts";

const store = new EventStore(memory(), { events: [Noted] });
await store.publish("a", [Noted(1), Noted(2)]);
await store.publish("b", Noted(3));
await store.append("a", Noted(4)); // no worker may deliver it
await store.publish("a", Noted(5));
const log = await all(store.readAll());
const [a1, a2, b1, unpublished, a4] = log as Five;
const published = [a1, a2, b1, a4];

type Five = [RecordedEvent, RecordedEvent, RecordedEvent, RecordedEvent, RecordedEvent];

const committing: Entry = { what: "committing", ids: published.map(({ id }) => id) };
const killed: Entry = { what: "killed", worker: "one" };
const stopped: Entry = { what: "stopped", worker: "one" };
const refused: Entry = { what: "refused", worker: "one" };
const good: readonly Entry[] = [committing, ...published.map((event) => delivered(event))];

/** What must be accepted. */
const accepted: Readonly<Record<string, readonly Entry[]>> = {
  "every event once, in order": good,
  "streams among each other in any order": [
    ...[committing, delivered(b1), delivered(a1), delivered(a2), delivered(a4)],
  ],
  "an event again by another worker after the first was killed": [
    ...[committing, delivered(a1), delivered(a2), killed, delivered(a1, "two")],
    ...[delivered(a2, "two"), delivered(b1, "two"), delivered(a4, "two")],
  ],
  "an event again by a worker that was frozen while its lease ran out": [
    ...[committing, stopped, delivered(a1, "two"), delivered(a2, "two"), delivered(a1)],
    ...[wrote(4, "two"), delivered(a2), refused, delivered(b1, "two"), delivered(a4, "two")],
  ],
  "a parked event again after the checkpoint has passed it": [
    ...[committing, killed, delivered(a1), delivered(b1), wrote(3, "one", { parked: [a2] })],
    ...[delivered(a2), delivered(a2), delivered(a4)],
  ],
};

/** What must be refused, and why. */
const bad: Readonly<Record<string, readonly [entries: readonly Entry[], reason: RegExp]>> = {
  "loses an event": [without(good, b1), /b/],
  "loses the last event of a stream": [without(good, a4), /a/],
  "loses all": [[committing], /a/],
  "reorders the first deliveries of a stream": [
    [committing, delivered(a2), delivered(a1), delivered(b1), delivered(a4)],
    /in order/,
  ],
  "leaves out an event until later ones were delivered": [
    [committing, delivered(a1), delivered(b1), delivered(a4), delivered(a2)],
    /in order/,
  ],
  "reorders the first deliveries though a worker was killed": [
    [committing, killed, delivered(a2), delivered(a1, "two"), delivered(b1), delivered(a4)],
    /in order/,
  ],
  "delivers what was not published": [
    [...good, delivered(unpublished)],
    /before its commit/,
  ],
  "delivers an event before its commit": [
    [delivered(a1), committing, delivered(a2), delivered(b1), delivered(a4)],
    /before its commit/,
  ],
  "delivers an event that was rolled back": [
    [{ what: "committing", ids: ["gone"] }, ...good, delivered({ ...a4, id: "gone", version: 5 })],
    /rolled back/,
  ],
  "delivers an event at a position that it was not given": [
    [...good.slice(0, -1), delivered({ ...a4, position: 99 })],
    /rolled back/,
  ],
  "delivers an event again though no delivery failed": [
    [...good, delivered(a4)],
    /though no delivery failed/,
  ],
  "delivers an event again by another worker though no delivery failed": [
    [...good, delivered(a1, "two")],
    /though no delivery failed/,
  ],
  "delivers an event again though only a third worker was killed": [
    [...good, { what: "killed", worker: "three" }, delivered(a1, "two")],
    /though no delivery failed/,
  ],
  "delivers an event again before the worker was killed": [
    [...good, delivered(a4), killed],
    /though no delivery failed/,
  ],
  "delivers an event again though the checkpoint had passed it": [
    [...good, killed, wrote(5, "one"), delivered(a4, "two")],
    /a checkpoint had passed it/,
  ],
  "delivers an event again that a parked stream was done with": [
    [...good, killed, wrote(5, "one", { parked: [a4] }), delivered(a2, "two")],
    /a checkpoint had passed it/,
  ],
  "delivers an event of a stream that is parked no more again": [
    [
      ...[...good, killed, wrote(5, "one", { parked: [a4] }), wrote(5, "one", { released: [a4] })],
      delivered(a4, "two"),
    ],
    /a checkpoint had passed it/,
  ],
};

for (const [name, entries] of Object.entries(accepted)) {
  test(`judge() accepts a journal of ${name}`, () => judge(entries, log));
}

for (const [name, [entries, reason]] of Object.entries(bad)) {
  test(`judge() refuses a journal that ${name}`, () => {
    assert.throws(() => judge(entries, log), (error) => {
      assert.ok(error instanceof assert.AssertionError);
      assert.match(error.message, reason);
      return true;
    });
  });
}

function delivered(event: RecordedEvent, worker = "one"): Entry {
  const { id, streamId, version, position } = event;
  return { what: "delivered", worker, event: { id, streamId, version, position } };
}

function wrote(position: number, worker: string, more: Partial<Written> = {}): Entry {
  return {
    what: "wrote",
    worker,
    progress: { position, parked: [], deferred: [], released: [], ...more },
  };
}

function without(entries: readonly Entry[], { id }: RecordedEvent): readonly Entry[] {
  return entries.filter((entry) => entry.what !== "delivered" || entry.event.id !== id);
}
