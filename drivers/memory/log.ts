import type { NewEvent, NewSnapshot, StoredSubject } from "../../mod.ts";
import { ConsumerStates } from "./consumers.ts";
import type { Mark } from "./inbox.ts";
import { keyOf } from "./key.ts";
import { Overlay } from "./overlay.ts";
import type { Waiting } from "./schedule.ts";

/** The place of an event in its stream and in the log. */
export interface Location {
  readonly tenantId: string;
  readonly streamId: string;
  readonly category: string;
  readonly slot: number;
  readonly version: number;
  readonly position: number;
}

/** A stored event: encoded, as in a database. */
export interface Row extends NewEvent, Location {}

/** The keys of a subject, and when it was forgotten. */
export interface SubjectRow extends StoredSubject {
  readonly forgottenAt: string | undefined;
}

/** The committed events, or the changes of an open transaction on top of them. */
export class Log {
  readonly base: Log | undefined;
  readonly consumers: ConsumerStates;
  readonly rows: Row[] = [];
  readonly streams: Map<string, Row[]> = new Map();
  readonly ids: Map<string, Row> = new Map();
  /** The snapshots of each stream. */
  readonly snapshots: Map<string, readonly NewSnapshot[]> = new Map();
  /** The keys of subjects, by tenant and subject. */
  readonly subjects: Map<string, SubjectRow> = new Map();
  /** The messages that were handled. */
  readonly marks: Overlay<Mark>;
  /** The events that wait for their time. */
  readonly scheduled: Overlay<Waiting>;
  /** Streams of the base that this transaction deleted. */
  readonly deleted: Set<string> = new Set();
  /**
   * The last assigned position (a rollback leaves a gap), and the last one at or below which no transaction is open.
   */
  readonly sequence: { assigned: number; settled: number };

  constructor(base: Log | undefined) {
    this.base = base;
    this.consumers = new ConsumerStates(base?.consumers);
    this.marks = new Overlay(base?.marks);
    this.scheduled = new Overlay(base?.scheduled);
    this.sequence = base?.sequence ?? { assigned: 0, settled: 0 };
  }

  stream(key: string): readonly Row[] {
    const own = this.streams.get(key) ?? [];
    if (this.base === undefined || this.deleted.has(key)) return own;
    return [...this.base.stream(key), ...own];
  }

  version(key: string): number {
    const own = this.streams.get(key)?.at(-1)?.version;
    if (own !== undefined) return own;
    return this.base === undefined || this.deleted.has(key) ? 0 : this.base.version(key);
  }

  event(tenantId: string, id: string): Row | undefined {
    const own = this.ids.get(keyOf(tenantId, id));
    if (own !== undefined) return own;
    const row = this.base?.event(tenantId, id);
    return row === undefined || this.deleted.has(keyOf(tenantId, row.streamId)) ? undefined : row;
  }

  /** Returns the snapshots of a stream. */
  kept(key: string): readonly NewSnapshot[] {
    const own = this.snapshots.get(key);
    if (own !== undefined || this.base === undefined || this.deleted.has(key)) return own ?? [];
    return this.base.kept(key);
  }

  /** Returns the keys of a subject. */
  subject(key: string): SubjectRow | undefined {
    return this.subjects.get(key) ?? this.base?.subject(key);
  }

  /** Returns the keys of all subjects. */
  subjectRows(): ReadonlyMap<string, SubjectRow> {
    if (this.base === undefined) return this.subjects;
    return new Map([...this.base.subjectRows(), ...this.subjects]);
  }

  /** Returns the keys of all streams that have events. */
  keys(): Set<string> {
    const keys = this.base?.keys() ?? new Set();
    for (const key of this.deleted) keys.delete(key);
    for (const key of this.streams.keys()) keys.add(key);
    return keys;
  }

  insert(row: Row): void {
    const key = keyOf(row.tenantId, row.streamId);
    const stream = this.streams.get(key);
    if (stream === undefined) this.streams.set(key, [row]);
    else stream.push(row);
    this.rows.push(row);
    this.ids.set(keyOf(row.tenantId, row.id), row);
  }

  remove(key: string): void {
    this.snapshots.delete(key);
    const own = this.streams.get(key);
    if (own !== undefined) {
      this.streams.delete(key);
      for (const row of own) this.ids.delete(keyOf(row.tenantId, row.id));
      const kept = this.rows.filter((row) => keyOf(row.tenantId, row.streamId) !== key);
      this.rows.splice(0, this.rows.length, ...kept);
    }
    if (this.base !== undefined) this.deleted.add(key);
  }

  /** Yields the committed rows of a range of positions: a transaction's own events are not part of the log yet. */
  *between(after: number, until: number, backwards: boolean): Iterable<Row> {
    if (this.base !== undefined) return yield* this.base.between(after, until, backwards);
    const [first, end] = [firstAfter(this.rows, after), firstAfter(this.rows, until)];
    for (let offset = 0; offset < end - first; offset++) {
      yield this.rows[backwards ? end - 1 - offset : first + offset]!;
    }
  }

  /** Returns the first committed row at or above a position. */
  from(position: number): Row | undefined {
    if (this.base !== undefined) return this.base.from(position);
    return this.rows[firstAfter(this.rows, position - 1)];
  }

  /** Returns all rows after a position, a transaction's own among them. */
  all(after: number): readonly Row[] {
    const own = this.rows.slice(firstAfter(this.rows, after));
    if (this.base === undefined) return own;
    const below = this.base.all(after);
    const kept = (row: Row) => !this.deleted.has(keyOf(row.tenantId, row.streamId));
    return [...below.filter(kept), ...own];
  }

  /** Settles the log when no transaction is open: every assigned position is committed, or will never appear. */
  settle(): void {
    if (this.base === undefined) this.sequence.settled = this.sequence.assigned;
  }

  /** Commits a transaction: applies its changes to its base. */
  commit(): void {
    for (const key of this.deleted) this.base!.remove(key);
    for (const row of this.rows) this.base!.insert(row);
    for (const [key, kept] of this.snapshots) this.base!.snapshots.set(key, kept);
    for (const [key, row] of this.subjects) this.base!.subjects.set(key, row);
    this.consumers.commit();
    this.marks.commit();
    this.scheduled.commit();
  }
}

/** Finds the first row after a position. Most ask for the newest: the search begins at the end, in steps that double. */
function firstAfter(rows: readonly Row[], after: number): number {
  let low = 0;
  let high = rows.length;
  for (let step = 1; step < rows.length; step *= 2) {
    const row = rows.length - step;
    if (rows[row]!.position <= after) {
      low = row + 1;
      break;
    }
    high = row;
  }
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (rows[middle]!.position <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
