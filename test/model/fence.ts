import { type Model, numbering, remember, unifier } from "./explore.ts";
import { read } from "./reader.ts";
import {
  type Database,
  type Fence,
  modulus,
  namesOf,
  type Reader,
  type Sequence,
  type State,
} from "./state.ts";
import { idle, write } from "./writer.ts";

const head = ({ last, called }: Sequence) => called ? last : last - 1;

/** The fence with advisory locks: appends run side by side, and their locks show which positions are open. */
export const concurrent: Fence = {
  append: ["version", "sequence", "lock", "position", "insert"],
  read: ["sequence", "locks", "events"],
  writerHead: head,
  readerHead: head,
  behind(head, key) {
    const distance = (head - key) & (modulus - 1);
    return distance < modulus / 2 ? distance : undefined;
  },
  restore: (saved) => saved,
};

/** The fence without advisory locks: positions come from a row, which one transaction at a time locks. */
export const serial: Fence = {
  ...concurrent,
  append: ["version", "row", "insert"],
  read: ["row", "events"],
};

/** Limits to what the writers do, all together. */
export interface Scenario {
  /** Whether all append to one stream and compete for its versions, or every event has a stream of its own. */
  readonly streams: "one" | "own";
  readonly appends: number;
  readonly savepoints: number;
}

/**
 * Returns the model of three writers and two readers of an empty log: each writer is one transaction, with appends in
 * any number, savepoints, rollbacks to them, a commit or an abort, all at any time; readers read again and again.
 *
 * The sequence was never called, and its first positions lie where the keys of locks wrap.
 *
 * Two things keep it small, and lose no fault. All writers run the same program, and all readers do: states that differ
 * only in which of them is which count as one. And readers change nothing that others see: what writers may do is
 * computed once for each state of the database, whatever the readers are doing.
 */
export function modelOf(fence: Fence, { streams, appends, savepoints }: Scenario): Model<State> {
  const first = modulus - 1;
  const rules = streams === "one" ? fence : ownStreams(fence);
  const database = unifier<Database>();
  const reader = unifier<Reader>();
  const number = numbering();
  const databaseKey = remember(({ writers, ...shared }: Database) =>
    number(JSON.stringify([shared, ...writers.map((writer) => JSON.stringify(writer)).sort()]))
  );
  const readerKey = remember((reader: Reader) => number(JSON.stringify(reader)));
  const writes = remember((before: Database) =>
    before.writers.flatMap((_, index) =>
      Array.from(write(rules, before, index), ({ what, to }) => ({
        what: `writer ${index + 1} ${what}`,
        to: database(to),
      }))
    )
  );
  const reads = remember((database: Database) =>
    remember((before: Reader) => {
      const { what, to } = read(rules, database, before);
      return { what, to: reader(to) };
    })
  );
  const fresh = reader({ checkpoint: first - 1, delivered: [], read: null });
  return {
    initial: {
      database: database({
        ...{ sequence: { last: first, called: false }, row: first - 1, log: [] },
        ...{ writers: [idle, idle, idle], appends, savepoints },
      }),
      readers: [fresh, fresh],
    },
    *steps({ database, readers }) {
      for (const { what, to } of writes(database)) yield { what, to: { database: to, readers } };
      for (const [index, reader] of readers.entries()) {
        const { what, to } = reads(database)(reader);
        yield {
          what: `reader ${index + 1} ${what}`,
          to: { database, readers: readers.with(index, to) },
        };
      }
    },
    key: ({ database, readers }) =>
      [databaseKey(database), ...readers.map(readerKey).sort((a, b) => a - b)].join(),
  };
}

/** An insert that competes with no other is invisible until the commit: it goes with the step before. */
function ownStreams(fence: Fence): Fence {
  const { append } = fence;
  return { ...fence, append: append.filter((step) => step !== "version" && step !== "insert") };
}

/** Returns which event a reader has skipped, or delivered before an earlier one of its stream. */
export function fault({ database, readers }: State): string | undefined {
  for (const [index, { checkpoint, delivered }] of readers.entries()) {
    const skipped = database.log.filter(({ position }) =>
      position <= checkpoint && !delivered.some((event) => event.position === position)
    );
    if (skipped.length > 0) return `reader ${index + 1} has skipped ${namesOf(skipped)}`;
    const versions = delivered.map(({ version }) => version).filter((version) => version > 0);
    if (versions.some((version, before) => version !== before + 1)) {
      return `reader ${index + 1} has delivered out of order: ${namesOf(delivered)}`;
    }
  }
  return undefined;
}
