import type { Step } from "./explore.ts";
import {
  type Append,
  type Database,
  type Event,
  type Fence,
  type Held,
  lastOf,
  modulus,
  namesOf,
  type Writer,
} from "./state.ts";

const nothing: Held = { events: [], lock: null, set: false, row: false };

/** A transaction that holds nothing yet. */
export const idle: Writer = {
  held: nothing,
  savepoint: null,
  append: null,
  releases: false,
  ended: false,
};

/** Yields all that a writer may do next. */
export function* write(fence: Fence, database: Database, index: number): Iterable<Step<Database>> {
  const { appends, savepoints } = database;
  const writer = database.writers[index]!;
  const { held, savepoint, append } = writer;
  const to = (changes: Partial<Writer>, shared: Partial<Database> = {}): Database => ({
    ...database,
    ...shared,
    writers: database.writers.with(index, { ...writer, ...changes }),
  });
  if (writer.releases) {
    yield { what: "releases its lock", to: to({ held: { ...held, lock: null }, releases: false }) };
  } else if (append) {
    yield* proceed(fence, database, index, append);
  } else if (!writer.ended) {
    if (appends > 0) {
      const next = fence.append.filter((step) =>
        !(held.set && (step === "sequence" || step === "lock"))
      );
      const first = { next, version: 0, head: 0, position: 0 };
      yield* proceed(fence, { ...database, appends: appends - 1 }, index, first);
    }
    if (savepoints > 0) {
      yield {
        what: "sets a savepoint",
        to: to({ savepoint: held }, { savepoints: savepoints - 1 }),
      };
    }
    if (savepoint) {
      yield {
        what: "rolls back to its savepoint",
        to: to(released(held, fence.restore(savepoint, held))),
      };
    }
    if (held.events.length === 0 && held.lock === null && !held.row) return; // ending changes nothing
    const end = { ...released(held, nothing), ended: true };
    yield { what: "aborts", to: to(end) };
    if (held.events.length === 0) return; // a commit would be the same
    const log = [...database.log, ...held.events].sort((a, b) => a.position - b.position);
    yield {
      what: `commits ${namesOf(held.events)}`,
      to: to(end, { log, row: lastOf(held.events, database.row) }),
    };
  }
}

/** Keeps the advisory lock until the next step: Postgres releases it after the change is visible. */
function released(held: Held, left: Held): Partial<Writer> {
  const releases = held.lock !== left.lock;
  return { held: { ...left, lock: held.lock }, savepoint: null, releases };
}

/** Yields the next step of an append, unless that has to wait for another writer. */
function* proceed(
  fence: Fence,
  database: Database,
  index: number,
  append: Append,
): Iterable<Step<Database>> {
  const { sequence, log } = database;
  const writer = database.writers[index]!;
  const { held } = writer;
  const others = database.writers.toSpliced(index, 1);
  const [step, ...next] = append.next;
  const to = (
    changes: Partial<Append>,
    holds: Partial<Held> = {},
    shared: Partial<Database> = {},
  ): Database => {
    const after: Writer = {
      ...writer,
      held: { ...held, ...holds },
      append: next.length > 0 ? { ...append, next, ...changes } : null,
    };
    return { ...database, ...shared, writers: database.writers.with(index, after) };
  };
  // Without a step for it the event is inserted together with its position: see `ownStreams`.
  const taken = (position: number): Partial<Held> =>
    next.length > 0 ? {} : { events: [...held.events, { position, version: 0 }] };
  switch (step) {
    case "version": {
      const version = Math.max(0, ...[...log, ...held.events].map((event) => event.version));
      yield { what: `finds version ${version}`, to: to({ version: version + 1 }) };
      break;
    }
    case "sequence": {
      const head = fence.writerHead(sequence);
      yield { what: `finds the sequence at ${head}`, to: to({ head }) };
      break;
    }
    case "lock": {
      const lock = append.head & (modulus - 1);
      yield { what: `takes lock ${lock}`, to: to({ head: 0 }, { lock, set: true }) };
      break;
    }
    case "position": {
      const position = sequence.called ? sequence.last + 1 : sequence.last;
      yield {
        what: `takes position ${position}`,
        to: to({ position }, taken(position), { sequence: { last: position, called: true } }),
      };
      break;
    }
    case "row": {
      if (others.some((other) => other.held.row)) break; // waits
      const position = lastOf(held.events, database.row) + 1;
      yield {
        what: `locks the row and takes position ${position}`,
        to: to({ position }, { ...taken(position), row: true }),
      };
      break;
    }
    case "insert": {
      const { position, version } = append;
      const same = (event: Event) => event.version === version;
      if (others.some((other) => other.held.events.some(same))) break; // waits
      if (log.some(same)) yield { what: `finds version ${version} taken`, to: to({}) };
      else {
        const event = { position, version };
        yield {
          what: `inserts ${namesOf([event])}`,
          to: to({}, { events: [...held.events, event] }),
        };
      }
    }
  }
}
