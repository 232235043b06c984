import { keysOf } from "../codec/sealer.ts";
import type { RecordedEvent } from "../event/event.ts";
import { isUnknown } from "../event/unknown.ts";

/** The options of snapshots, complete. */
export interface Keeping {
  readonly kind: string;
  readonly stateVersion: number;
  readonly every: number;
}

/** How a state is folded, kept and brought back. */
export interface Model<State> {
  /** How snapshots are kept; undefined if none are. */
  readonly keeping: Keeping | undefined;
  /** Makes the state before the first event. */
  readonly initial: () => State;
  readonly evolve: (state: State, event: RecordedEvent) => State;
  /** Returns the state as plain data; undefined for no snapshot now. */
  readonly capture: (state: State) => unknown;
  /** Makes a state of plain data that is its own to change. */
  readonly restore: (data: unknown, version: number) => State;
  /** Whether a state that was kept is still that of a version; then makes it safe to be kept. */
  readonly isIntact: (state: State, version: number) => boolean;
}

/** A state on its way from event to event. */
export interface Folding<State> {
  state: State;
  version: number;
  eventId: string;
  createdAt: Date | undefined;
  updatedAt: Date | undefined;
  /** The latest time of its events, in milliseconds since 1970. */
  latest: number;
  /** The events since the last snapshot. */
  replayed: number;
  /** The keys of the subjects whose sealed fields went into the state. */
  readonly keys: Set<string>;
  /** When the first of them was used, in milliseconds since 1970. */
  openedAt: number;
  /** Whether one of them is of a type that this release does not know: it would be lost for one that does. */
  unknown: boolean;
}

/** Makes the state before the first event. */
export function blank<State>({ initial }: Model<State>): Folding<State> {
  return {
    state: initial(),
    version: 0,
    eventId: "",
    createdAt: undefined,
    updatedAt: undefined,
    latest: -Infinity,
    replayed: 0,
    keys: new Set(),
    openedAt: Infinity,
    unknown: false,
  };
}

/** Folds an event into a state. */
export function step<State>(
  folding: Folding<State>,
  { evolve }: Model<State>,
  event: RecordedEvent,
): void {
  folding.state = evolve(folding.state, event);
  pass(folding, event);
}

/** Notes an event that the state holds already. */
export function pass<State>(folding: Folding<State>, event: RecordedEvent): void {
  folding.version = event.version;
  folding.eventId = event.id;
  folding.createdAt ??= event.createdAt;
  folding.updatedAt = event.createdAt;
  folding.latest = Math.max(folding.latest, event.createdAt.getTime());
  folding.replayed++;
  const keys = keysOf(event);
  if (keys !== undefined) {
    for (const key of keys) folding.keys.add(key);
    folding.openedAt = Math.min(folding.openedAt, Date.now());
  }
  folding.unknown ||= isUnknown(event);
}
