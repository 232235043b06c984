import {
  Aggregate,
  type AggregateClass,
  type Event,
  type RecordedEvent,
  Repository,
} from "../../mod.ts";
import { checkInstant, checkName, checkNumber, checkObject } from "../errors/check.ts";
import { categoryOf } from "../event/stream.ts";
import { isUnknown } from "../event/unknown.ts";
import { type DiffLine, diffOf } from "./diff.ts";
import { type Problem, problemOf, shapedProblem } from "./event.ts";
import { plainOf, shapeOf } from "./plain.ts";
import type { Source } from "./source.ts";
import { lastVersion } from "./stream.ts";

/**
 * How the state of a category's streams is made: by the class of its aggregates, by a decider or whatever else has its
 * `initialState` and `evolve`, or by a function of all events.
 *
 * @category Inspect
 */
export type StateSource =
  | AggregateClass<Aggregate<Event>>
  | {
    readonly initialState: () => unknown;
    readonly evolve: (state: never, event: never) => unknown;
  }
  | ((events: readonly never[]) => unknown);

/**
 * As of when to show a state.
 *
 * @category Inspect
 */
export interface StateSearch {
  /** After the event with this version. @default the last */
  readonly version?: number | undefined;
  /** As of this UTC instant: before the first event that was created later. @default now */
  readonly at?: Date | undefined;
}

/**
 * The state of a stream.
 *
 * @category Inspect
 */
export interface InspectedState {
  /** The stream's id. */
  readonly streamId: string;
  /** The version of the last event that the state holds; 0 before the first. */
  readonly version: number;
  /** The state as plain JSON, for people: a `Date` as its text, a `Map` as pairs; undefined if it cannot be shown. */
  readonly state: unknown;
  /** Why it cannot be shown; undefined if it can. */
  readonly problem: Problem | undefined;
}

/**
 * What changed between two versions of a stream.
 *
 * @category Inspect
 */
export interface StateDiff {
  /** The state before. */
  readonly from: InspectedState;
  /** The state after. */
  readonly to: InspectedState;
  /** The lines of both as JSON. */
  readonly lines: readonly DiffLine[];
  /** Whether the lines were compared; false if there are too many, or a state cannot be shown. */
  readonly complete: boolean;
}

/** Shows the state of a stream; see `Inspector.state`. */
export async function stateOf(
  source: Source,
  models: Readonly<Record<string, StateSource>>,
  streamId: string,
  asOf: StateSearch,
): Promise<InspectedState | undefined> {
  checkName("streamId", streamId);
  const { version: to, at } = checkObject("asOf", asOf);
  if (to !== undefined) checkNumber("version", to);
  if (at !== undefined) checkInstant("at", at);
  const last = await lastVersion(source, streamId);
  if (last === 0) return undefined;
  const wanted = Math.min(to ?? last, last);
  const unshown = (problem: Problem): InspectedState => ({
    ...{ streamId, version: wanted, state: undefined, problem },
  });
  const refused = (message: string) => unshown({ code: undefined, message });
  const category = categoryOf(streamId);
  const model = Object.hasOwn(models, category) ? models[category] : undefined;
  if (model === undefined) return refused(`aggregates has nothing for the category "${category}"`);
  if (wanted > source.budget) {
    return refused(`it has ${wanted} events, which is above the budget of ${source.budget}`);
  }
  try {
    const { version, state } = await folded(source, model, streamId, wanted, at);
    const plain = plainOf(state);
    const shown = source.shape && plain !== undefined ? shapeOf(plain) : plain;
    return { streamId, version, state: shown, problem: undefined };
  } catch (error) {
    const problem = problemOf(error, source.masks);
    return unshown(source.shape ? shapedProblem(problem) : problem);
  }
}

/** Compares two states of a stream; see `Inspector.diff`. */
export async function stateDiff(
  source: Source,
  models: Readonly<Record<string, StateSource>>,
  streamId: string,
  ...versions: readonly [from: number, to: number]
): Promise<StateDiff | undefined> {
  const [from, to] = await Promise.all(
    versions.map((version) => stateOf(source, models, streamId, { version })),
  );
  if (from === undefined || to === undefined) return undefined;
  if (from.problem ?? to.problem) return { from, to, lines: [], complete: false };
  return { from, to, ...diffOf(linesOf(from.state), linesOf(to.state)) };
}

function linesOf(state: unknown): readonly string[] {
  return state === undefined ? [] : JSON.stringify(state, null, 2).split("\n");
}

/** Folds a stream; the state before its first event is undefined. */
async function folded(
  { store }: Source,
  model: StateSource,
  streamId: string,
  to: number,
  at: Date | undefined,
): Promise<{ readonly version: number; readonly state: unknown }> {
  if (to === 0) return { version: 0, state: undefined };
  if (isClass(model)) {
    const { category } = model;
    const id = category === undefined ? streamId : streamId.slice(category.length + 1);
    const aggregate = await new Repository(store, model).load(id, { version: to, at });
    return { version: aggregate?.version ?? 0, state: aggregate };
  }
  const events: RecordedEvent[] = [];
  const collected = await store.fold(streamId, events, (found, event) => {
    found.push(event);
    return found;
  }, { to, at });
  const { length: version } = collected;
  const known = collected.filter((event) => !isUnknown(event));
  return { version, state: version === 0 ? undefined : evolved(model, known) };
}

/** Which events a model takes is for its user to know: the category has no others. */
function evolved(
  model: Exclude<StateSource, AggregateClass<Aggregate<Event>>>,
  events: readonly RecordedEvent[],
): unknown {
  const taken = events as readonly never[];
  if (typeof model === "function") return model(taken);
  return taken.reduce<unknown>(
    (state, event) => model.evolve(state as never, event),
    model.initialState(),
  );
}

function isClass(model: StateSource): model is AggregateClass<Aggregate<Event>> {
  return typeof model === "function" && model.prototype instanceof Aggregate;
}
