import assert from "node:assert/strict";
import { test } from "node:test";
import { explore } from "./explore.ts";
import { concurrent, fault, modelOf, type Scenario, serial } from "./fence.ts";
import { type Fence, modulus } from "./state.ts";

const timeout = 60_000;

// Far fewer states than these would mean that the explorer or the model leaves something out.
const sound: [name: string, fence: Fence, limits: Omit<Scenario, "streams">, states: number][] = [
  ["concurrent", concurrent, { appends: 3, savepoints: 1 }, 200_000],
  ["serial", serial, { appends: 5, savepoints: 2 }, 30_000],
];

for (const [name, fence, limits, enough] of sound) {
  test(`the ${name} fence skips no event and keeps streams in order, in every interleaving`, {
    timeout,
  }, (t) => {
    let states = 0;
    for (const streams of ["own", "one"] as const) {
      let delivered = 0;
      const explored = explore(modelOf(fence, { streams, ...limits }), (state) => {
        const counts = state.readers.map((reader) => reader.delivered.length);
        delivered = Math.max(delivered, Math.min(...counts));
        return fault(state);
      });
      assert.equal(explored.trace, undefined);
      assert.equal(delivered, limits.appends, "no run in which both readers got all events");
      states += explored.states;
    }
    t.diagnostic(`${states} states of the ${name} fence`);
    assert.ok(states > enough, `${states} states are not all`);
  });
}

// Each rule broken, and the shortest run in which a reader pays for it.
const broken: [rule: string, fence: Fence, streams: "own" | "one", trace: string[]][] = [
  [
    "readers take a sequence that was never called for called (B1)",
    { ...concurrent, readerHead: ({ last }) => last },
    "own",
    [
      "writer 1 finds the sequence at 14",
      "reader 1 finds the sequence at 15",
      "reader 1 finds no lock, settled is 15",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "reader 1 looks for events, delivers nothing",
      "writer 1 commits 15",
      "reader 1 has skipped 15",
    ],
  ],
  [
    "writers take a sequence that was never called for called (B1)",
    { ...concurrent, writerHead: ({ last }) => last },
    "own",
    [
      "writer 1 finds the sequence at 15",
      "writer 1 takes lock 15",
      "writer 1 takes position 15",
      "reader 1 finds the sequence at 15",
      "reader 1 finds lock 15, settled is 15",
      "reader 1 looks for events, delivers nothing",
      "writer 1 commits 15",
      "reader 1 has skipped 15",
    ],
  ],
  [
    "locks are read before the sequence (B2)",
    { ...concurrent, read: ["locks", "sequence", "events"] },
    "own",
    [
      "writer 1 finds the sequence at 14",
      "reader 1 finds no lock",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "reader 1 finds the sequence at 15, settled is 15",
      "reader 1 looks for events, delivers nothing",
      "writer 1 commits 15",
      "reader 1 has skipped 15",
    ],
  ],
  [
    "events are read in the snapshot of the locks' statement (B2)",
    { ...concurrent, read: ["events", "sequence", "locks"] },
    "own",
    [
      "writer 1 finds the sequence at 14",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "reader 1 looks for events",
      "writer 1 commits 15",
      "writer 1 releases its lock",
      "reader 1 finds the sequence at 15",
      "reader 1 finds no lock, settled is 15, delivers nothing",
      "reader 1 has skipped 15",
    ],
  ],
  [
    "a savepoint's rollback takes back the lock, but not the setting (B3)",
    { ...concurrent, restore: (saved, held) => ({ ...saved, set: held.set }) },
    "own",
    [
      "writer 1 sets a savepoint",
      "writer 1 finds the sequence at 14",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "writer 1 rolls back to its savepoint",
      "writer 1 releases its lock",
      "writer 1 takes position 16",
      "reader 1 finds the sequence at 16",
      "reader 1 finds no lock, settled is 16",
      "reader 1 looks for events, delivers nothing",
      "writer 1 commits 16",
      "reader 1 has skipped 16",
    ],
  ],
  [
    "keys are compared as plain numbers (B4)",
    {
      ...concurrent,
      behind: (head, key) => (head % modulus) < key ? undefined : (head % modulus) - key,
    },
    "own",
    [
      "writer 1 finds the sequence at 14",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "writer 1 takes position 16",
      "reader 1 finds the sequence at 16",
      "reader 1 finds lock 14, settled is 16",
      "reader 1 looks for events, delivers nothing",
      "writer 1 commits 15, 16",
      "reader 1 has skipped 15, 16",
    ],
  ],
  [
    "an append reads its stream's version after it took its position",
    { ...concurrent, append: ["sequence", "lock", "position", "version", "insert"] },
    "one",
    [
      "writer 1 finds the sequence at 14",
      "writer 1 takes lock 14",
      "writer 1 takes position 15",
      "writer 2 finds the sequence at 15",
      "writer 2 takes lock 15",
      "writer 2 takes position 16",
      "writer 2 finds version 0",
      "writer 2 inserts 16 (version 1)",
      "writer 2 commits 16 (version 1)",
      "writer 1 finds version 1",
      "writer 1 inserts 15 (version 2)",
      "writer 1 commits 15 (version 2)",
      "writer 1 releases its lock",
      "reader 1 finds the sequence at 16",
      "reader 1 finds lock 15, settled is 15",
      "reader 1 looks for events, delivers 15 (version 2)",
      "reader 1 has delivered out of order: 15 (version 2)",
    ],
  ],
  [
    "serial appends take positions without locking the row",
    { ...serial, append: ["version", "position", "insert"] },
    "own",
    [
      "writer 1 takes position 15",
      "writer 2 takes position 16",
      "writer 2 commits 16",
      "reader 1 finds the row at 16",
      "reader 1 looks for events, delivers 16",
      "writer 1 commits 15",
      "reader 1 has skipped 15",
    ],
  ],
  [
    "events are read in the snapshot of the row's statement",
    { ...serial, read: ["events", "row"] },
    "own",
    [
      "writer 1 locks the row and takes position 15",
      "reader 1 looks for events",
      "writer 1 commits 15",
      "reader 1 finds the row at 15, delivers nothing",
      "reader 1 has skipped 15",
    ],
  ],
];

for (const [rule, fence, streams, trace] of broken) {
  test(`the model finds a fault where ${rule}`, { timeout }, () => {
    const explored = explore(modelOf(fence, { streams, appends: 3, savepoints: 1 }), fault);
    assert.deepEqual(explored.trace, trace);
  });
}
