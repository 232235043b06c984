import assert from "node:assert/strict";
import type { AppendOutcome, AppendRequest } from "../driver/append.ts";
import type { Driver, Session } from "../driver/driver.ts";
import type {
  CorrelationQuery,
  LogPage,
  LogQuery,
  MatchPage,
  MatchQuery,
  StoredStream,
  StreamPage,
  StreamQuery,
  StreamsQuery,
} from "../driver/read.ts";

/** More refusals in a row than a writer can get by losing races. */
const maxRefusals = 1000;

/**
 * Checks each answer of a driver against the request. Otherwise a driver that ignores the limit of a page would make
 * the core read forever, instead of failing a case.
 */
export function guard(driver: Driver): Driver & Record<keyof Driver, unknown> {
  const { capabilities } = driver;
  return {
    ...guardSession(driver),
    capabilities,
    migrate: () => driver.migrate(),
    schema: driver.schema && (() => driver.schema!()),
    repairPosition: () => driver.repairPosition(),
    using: (db) => guardSession(driver.using(db)),
    notifier: driver.notifier,
    examiner: driver.examiner,
  };
}

/** The type names every member, optional ones too: a new member that is not forwarded does not compile. */
function guardSession(session: Session): Session & Record<keyof Session, unknown> {
  const refusals: WeakMap<AppendRequest, number> = new WeakMap();
  return {
    db: session.db,
    checkpoints: session.checkpoints,
    snapshots: session.snapshots,
    keys: session.keys,
    inbox: session.inbox,
    schedule: session.schedule,
    async append(requests) {
      const outcomes = await session.append(requests);
      assert.equal(
        outcomes.length,
        requests.length,
        "append() returns an outcome for each request",
      );
      for (const [index, request] of requests.entries()) {
        checkOutcome(request, outcomes[index]!);
        const refused = (refusals.get(request) ?? 0) + 1;
        refusals.set(request, refused);
        assert.ok(refused < maxRefusals, "append() refuses again and again without a reason");
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
    query: session.query && (async (query) => {
      const page = await session.query!(query);
      checkMatches(query, page);
      return page;
    }),
    settled: () => session.settled(),
    poll: session.poll && ((seen) => session.poll!(seen)),
    find: session.find && (async (tenantId, id) => {
      const event = await session.find!(tenantId, id);
      if (event === undefined) return;
      assert.deepEqual([event.tenantId, event.id], [tenantId, id], "find() gives that event");
      return event;
    }),
    correlated: session.correlated && (async (query) => {
      const page = await session.correlated!(query);
      checkFlow(query, page);
      return page;
    }),
    probe: session.probe && (async (positions) => {
      const events = await session.probe!(positions);
      assert.equal(events.length, positions.length, "probe() answers for each position");
      for (const [index, event] of events.entries()) {
        const position = positions[index]!;
        if (event !== undefined) {
          assert.ok(event.position >= position, `it is at or above ${position}`);
        }
      }
      return events;
    }),
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

function checkOutcome({ writes, condition }: AppendRequest, outcome: AppendOutcome): void {
  if (outcome.status === "refused") {
    const { conflict } = outcome;
    if (conflict.kind === "id") {
      assert.ok(conflict.existing.length > 0, "append() names the ids that are used already");
    } else if (conflict.kind === "condition") {
      const { match } = conflict;
      assert.ok(condition !== undefined, "append() refuses by a condition that was given");
      if (match === undefined) return;
      const { after, seen } = condition;
      assert.ok(match.position > after, "append() names a match after the position");
      assert.ok(!seen.includes(match.position), "append() names a match that was not seen");
    } else {
      const { length } = conflict.versions;
      assert.equal(length, writes.length, "append() returns a version for each write");
    }
    return;
  }
  assert.equal(outcome.writes.length, writes.length, "append() answers for each write");
  for (const [index, { version, positions }] of outcome.writes.entries()) {
    const { events } = writes[index]!;
    assert.equal(positions.length, events.length, "append() returns a position for each event");
    assert.ok(version >= events.length, "append() returns the version of the last event");
  }
}

function checkLoaded(
  { tenantId, streamId, from, to, limit, backwards }: StreamQuery,
  { events, more }: StreamPage,
): void {
  assert.ok(events.length <= limit, `load() returns at most ${limit} events`);
  assert.ok(!more || events.length > 0, "load() returns at least one event if there are more");
  for (const [index, event] of events.entries()) {
    assert.deepEqual(
      [event.tenantId, event.streamId],
      [tenantId, streamId],
      "load() returns events of the stream only",
    );
    const { version } = event;
    assert.ok(version >= from && version <= to, `version ${version} is from ${from} to ${to}`);
    const before = events[index - 1]?.version;
    if (before === undefined) continue;
    assert.equal(version, before + (backwards ? -1 : 1), "load() returns versions in their order");
  }
}

function checkFlow(
  { tenantId, after, limit }: CorrelationQuery,
  { events, more }: StreamPage,
): void {
  assert.ok(events.length <= limit, `correlated() returns at most ${limit} events`);
  assert.ok(!more || events.length > 0, "correlated() returns an event if there are more");
  let last = after;
  for (const { tenantId: own, position } of events) {
    assert.equal(own, tenantId, "correlated() returns events of the tenant only");
    assert.ok(
      position > last,
      `correlated() returns ascending positions: ${position} after ${last}`,
    );
    last = position;
  }
}

function checkPage(
  { tenantId, after, until, limit, backwards }: LogQuery,
  { events, scanned }: LogPage,
): void {
  assert.ok(events.length <= limit, `scan() returns at most ${limit} events`);
  let [least, most] = [after + 1, until];
  for (const event of events) {
    if (tenantId !== undefined) {
      assert.equal(event.tenantId, tenantId, "scan() returns events of the tenant only");
    }
    const { position } = event;
    assert.ok(
      position >= least && position <= most,
      `position ${position} is in ${least} … ${most}`,
    );
    if (backwards) most = position - 1;
    else least = position + 1;
  }
  const message = `scan() reports how far it searched: ${scanned} is in ${least - 1} … ${most + 1}`;
  assert.ok(scanned >= least - 1 && scanned <= most + 1, message);
  assert.ok(
    after >= until || (backwards ? scanned <= until : scanned > after),
    `scan() advances: ${scanned} is after ${after}`,
  );
}

function checkMatches({ tenantId, after, limit }: MatchQuery, { events, more }: MatchPage): void {
  assert.ok(events.length <= limit, `query() returns at most ${limit} events`);
  assert.ok(!more || events.length > 0, "query() returns at least one event if there are more");
  let last = after;
  for (const event of events) {
    assert.equal(event.tenantId, tenantId, "query() returns events of the tenant only");
    assert.ok(event.position > last, `position ${event.position} is after ${last}`);
    last = event.position;
  }
}

function checkStreams(
  { prefix = "", after, limit }: StreamsQuery,
  streams: readonly StoredStream[],
): void {
  assert.ok(streams.length <= limit, `streams() returns at most ${limit} streams`);
  const ids = streams.map(({ streamId }) => streamId);
  assert.ok(!ids.includes(after ?? ""), "streams() returns only streams after the given one");
  assert.ok(ids.every((id) => id.startsWith(prefix)), "streams() returns those with the prefix");
  assert.equal(new Set(ids).size, ids.length, "streams() returns each stream once");
}
