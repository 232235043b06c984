/** What may happen next, in words, and the state after it. */
export interface Step<State> {
  readonly what: string;
  readonly to: State;
}

/** Processes that share a state, and take their steps in any order. */
export interface Model<State> {
  readonly initial: State;
  /** Yields every step that any process may take next. */
  readonly steps: (state: State) => Iterable<Step<State>>;
  /** Returns equal texts only for states with the same future. */
  readonly key: (state: State) => string;
}

/** The outcome of an exploration. */
export interface Exploration {
  /** Number of different states that were reached. */
  readonly states: number;
  /** A shortest run into a fault, one step a line, and last the fault; undefined if no state has one. */
  readonly trace: readonly string[] | undefined;
}

/**
 * Visits every state that any interleaving of a model's steps leads to, until one has a fault.
 *
 * Each state is followed once, since its future does not depend on the way to it. The search is breadth first, so that
 * the first fault found has a shortest run.
 *
 * @param fault Returns what is wrong with a state, in words; undefined if nothing is.
 */
export function explore<State>(
  model: Model<State>,
  fault: (state: State) => string | undefined,
): Exploration {
  const reached = new Set([model.key(model.initial)]);
  let frontier: Visit<State>[] = [{ state: model.initial, path: undefined }];
  while (frontier.length > 0) {
    const next: Visit<State>[] = [];
    for (const { state, path } of frontier) {
      const found = fault(state);
      if (found !== undefined) return { states: reached.size, trace: [...linesOf(path), found] };
      for (const { what, to } of model.steps(state)) {
        const key = model.key(to);
        if (reached.has(key)) continue;
        reached.add(key);
        next.push({ state: to, path: { what, before: path } });
      }
    }
    frontier = next;
  }
  return { states: reached.size, trace: undefined };
}

interface Visit<State> {
  readonly state: State;
  readonly path: Path | undefined;
}

interface Path {
  readonly what: string;
  readonly before: Path | undefined;
}

function linesOf(path: Path | undefined): string[] {
  return path ? [...linesOf(path.before), path.what] : [];
}

/** Returns a function that replaces equal values, which must be plain JSON, by the first of them. */
export function unifier<Value extends object>(): (value: Value) => Value {
  const first = new Map<string, Value>();
  return (value) => {
    const content = JSON.stringify(value);
    const known = first.get(content);
    if (known === undefined) first.set(content, value);
    return known ?? value;
  };
}

/** Returns a function that numbers texts, from 0, equal ones alike. */
export function numbering(): (text: string) => number {
  const numbers = new Map<string, number>();
  return (text) => {
    const known = numbers.get(text);
    if (known === undefined) numbers.set(text, numbers.size);
    return known ?? numbers.size - 1;
  };
}

/** Returns a function that computes its result once for each object. */
export function remember<Key extends object, Value>(
  compute: (key: Key) => Value,
): (key: Key) => Value {
  const values = new Map<Key, Value>();
  return (key) => {
    let value = values.get(key);
    if (value === undefined) values.set(key, value = compute(key));
    return value;
  };
}
