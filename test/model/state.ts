/** Number of different lock keys: few enough to wrap within a run, more than twice the positions that a run takes. */
export const modulus = 16;

/** An event: its position, and its version in the one stream; 0 where streams do not matter. */
export interface Event {
  readonly position: number;
  readonly version: number;
}

/** A sequence as Postgres stores it: outside of transactions, so that nothing taken is ever given back. */
export interface Sequence {
  readonly last: number;
  readonly called: boolean;
}

/** What a transaction holds until it ends, and what a savepoint's rollback takes back. */
export interface Held {
  /** The events that it has inserted, which only it sees. */
  readonly events: readonly Event[];
  /** The key of its advisory lock. */
  readonly lock: number | null;
  /** Whether its setting says that it has a lock, so that its next append takes none. */
  readonly set: boolean;
  /** Whether it holds the lock of the fence's row. */
  readonly row: boolean;
}

/** One of an append's steps. Each is atomic; other processes take theirs in between. */
export type AppendStep = "version" | "sequence" | "lock" | "position" | "row" | "insert";

/** An append under way: the steps still to take, and what those before have found and taken. */
export interface Append {
  readonly next: readonly AppendStep[];
  readonly version: number;
  readonly head: number;
  readonly position: number;
}

/** A transaction that appends. */
export interface Writer {
  readonly held: Held;
  readonly savepoint: Held | null;
  readonly append: Append | null;
  /** Whether it has yet to release its advisory lock, after what it inserted became visible or void. */
  readonly releases: boolean;
  readonly ended: boolean;
}

/** The database, and the transactions that write to it. */
export interface Database {
  readonly sequence: Sequence;
  /** The position in the fence's row, as committed. */
  readonly row: number;
  /** The committed events by position: what a snapshot shows. */
  readonly log: readonly Event[];
  readonly writers: readonly Writer[];
  /** How many appends and savepoints the writers may still begin, all together. */
  readonly appends: number;
  readonly savepoints: number;
}

/** One of a read's steps; "events" takes the snapshot in which it finds them. */
export type ReadStep = "sequence" | "locks" | "row" | "events";

/** A read under way: the steps still to take, and what those before have found. */
export interface Read {
  readonly next: readonly ReadStep[];
  readonly head?: number;
  readonly locks?: readonly number[];
  readonly settled?: number;
  readonly events?: readonly Event[];
}

/** A consumer, which reads on from its checkpoint again and again. */
export interface Reader {
  readonly checkpoint: number;
  readonly delivered: readonly Event[];
  readonly read: Read | null;
}

/** A state of the model. */
export interface State {
  readonly database: Database;
  readonly readers: readonly Reader[];
}

/** What keeps readers from skipping an event, in parts that can be broken one by one. */
export interface Fence {
  /** An append's steps, in order. */
  readonly append: readonly AppendStep[];
  /** A read's steps, in order. */
  readonly read: readonly ReadStep[];
  /** Returns the last position that was taken, as writers read it. */
  readonly writerHead: (sequence: Sequence) => number;
  /** Returns the last position that was taken, as readers read it. */
  readonly readerHead: (sequence: Sequence) => number;
  /** Returns how far a lock's key lies behind the head; undefined if it lies ahead. */
  readonly behind: (head: number, key: number) => number | undefined;
  /** Returns what a transaction holds after its rollback to a savepoint. */
  readonly restore: (saved: Held, held: Held) => Held;
}

/** Lists events in words. */
export function namesOf(events: readonly Event[]): string {
  const names = events.map(({ position, version }) =>
    version > 0 ? `${position} (version ${version})` : `${position}`
  );
  return names.length > 0 ? names.join(", ") : "nothing";
}

/** Returns the highest position of events, or one that is given if that is higher. */
export function lastOf(events: readonly Event[], least: number): number {
  return Math.max(least, ...events.map(({ position }) => position));
}
