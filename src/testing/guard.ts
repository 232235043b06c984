import assert from "node:assert/strict";
import type { AppendOutcome, AppendRequest } from "../driver/append.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type {
  LogPage,
  LogQuery,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "../driver/read.ts";

/** More races than anybody loses in a row. */
const mostRaces = 1000;

/**
 * Watches a driver: what it answers must fit what it was asked. Otherwise a driver that overlooks a bound of a page
 * would have the core read on for ever, instead of failing a case.
 */
export function guard(driver: Driver): Driver & Record<keyof Driver, unknown> {
  const { capabilities } = driver;
  return {
    ...guardSession(driver),
    capabilities,
    migrate: () => driver.migrate(),
    repairPosition: () => driver.repairPosition(),
    using: (db) => guardSession(driver.using(db)),
    notifier: driver.notifier,
  };
}

/** Every member is named, optional ones too: one that is added and not forwarded does not compile. */
function guardSession(session: Session): Session & Record<keyof Session, unknown> {
  const refusals: WeakMap<AppendRequest, number> = new WeakMap();
  return {
    db: session.db,
    checkpoints: session.checkpoints,
    async append(requests) {
      const outcomes = await session.append(requests);
      assert.equal(outcomes.length, requests.length, "append() gives an outcome for each request");
      for (const [index, request] of requests.entries()) {
        checkOutcome(request, outcomes[index]!);
        const refused = (refusals.get(request) ?? 0) + 1;
        refusals.set(request, refused);
        assert.ok(refused < mostRaces, "append() refuses again and again without a reason");
      }
      return outcomes;
    },
    async load(query) {
      const page = await session.load(query);
      checkLoaded(query, page);
      return page;
    },
    async scan(query) {
      const page = await session.scan(query);
      checkPage(query, page);
      return page;
    },
    settled: () => session.settled(),
    async streams(query) {
      const streams = await session.streams(query);
      checkStreams(query, streams);
      return streams;
    },
    delete: (tenantId, streamId) => session.delete(tenantId, streamId),
    blockAppends: () => session.blockAppends(),
    transaction: (work) => session.transaction((inner) => work(guardSession(inner))),
  };
}

function checkOutcome({ writes }: AppendRequest, outcome: AppendOutcome): void {
  if (outcome.status === "refused") {
    const { conflict } = outcome;
    if (conflict.kind === "id") {
      assert.ok(conflict.existing.length > 0, "append() names the ids that are taken");
    } else {
      const { length } = conflict.versions;
      assert.equal(length, writes.length, "append() gives a version for each write");
    }
    return;
  }
  assert.equal(outcome.writes.length, writes.length, "append() answers for each write");
  for (const [index, { version, positions }] of outcome.writes.entries()) {
    const { events } = writes[index]!;
    assert.equal(positions.length, events.length, "append() gives a position for each event");
    assert.ok(version >= events.length, "append() gives the version of the last event");
  }
}

function checkLoaded(
  { tenantId, streamId, from, to, limit, backwards }: StreamQuery,
  { events, more }: StreamPage,
): void {
  assert.ok(events.length <= limit, `load() gives at most ${limit} events`);
  assert.ok(!more || events.length > 0, "load() gives an event where there are more");
  for (const [index, event] of events.entries()) {
    assert.deepEqual([event.tenantId, event.streamId], [tenantId, streamId], "load() keeps to it");
    const { version } = event;
    assert.ok(version >= from && version <= to, `version ${version} is from ${from} to ${to}`);
    const before = events[index - 1]?.version;
    if (before === undefined) continue;
    assert.equal(version, before + (backwards ? -1 : 1), "load() gives versions in their order");
  }
}

function checkPage(
  { tenantId, after, until, limit, backwards }: LogQuery,
  { events, scanned }: LogPage,
): void {
  assert.ok(events.length <= limit, `scan() gives at most ${limit} events`);
  let [least, most] = [after + 1, until];
  for (const event of events) {
    if (tenantId !== undefined) assert.equal(event.tenantId, tenantId, "scan() keeps to a tenant");
    const { position } = event;
    assert.ok(
      position >= least && position <= most,
      `position ${position} is in ${least} … ${most}`,
    );
    if (backwards) most = position - 1;
    else least = position + 1;
  }
  const told = `scan() says how far it searched: ${scanned} is in ${least - 1} … ${most + 1}`;
  assert.ok(scanned >= least - 1 && scanned <= most + 1, told);
  assert.ok(
    after >= until || (backwards ? scanned <= until : scanned > after),
    `scan() gets on: ${scanned} is after ${after}`,
  );
}

function checkStreams(
  { prefix = "", after, limit }: StreamsQuery,
  streams: readonly StoredStream[],
): void {
  assert.ok(streams.length <= limit, `streams() gives at most ${limit} streams`);
  const ids = streams.map(({ streamId }) => streamId);
  assert.ok(!ids.includes(after ?? ""), "streams() gives those after a stream, not the stream");
  assert.ok(ids.every((id) => id.startsWith(prefix)), "streams() gives those with the prefix");
  assert.equal(new Set(ids).size, ids.length, "streams() gives each stream once");
}
