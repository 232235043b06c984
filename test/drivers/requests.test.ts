import { type Client, createClient } from "@libsql/client/http";
import { drizzle } from "drizzle-orm/libsql";
import {
  Aggregate,
  ConcurrencyError,
  defineEvent,
  type EventOf,
  EventStore,
  type EventWriter,
  Repository,
  type RepositoryOptions,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ownPrefix, sqldUrl } from "../support/sqld.ts";

const Noted = defineEvent<string>()("Noted");
const tagged = Noted("c", { tags: ["urgent", "private"] });
type Writer = EventWriter<EventOf<typeof Noted>>;
type Store = EventStore<EventOf<typeof Noted>>;

/** Each finds one event in "note:1". */
const appends: Record<string, (store: Writer) => Promise<unknown>> = {
  "one event": (store) => store.append("note:1", Noted("a")),
  "one event at a version": (store) => store.append("note:1", Noted("a"), { expectedVersion: 1 }),
  "one event of a new stream": (store) =>
    store.append("note:2", Noted("a"), { expectedVersion: "noStream" }),
  "several events": (store) => store.append("note:1", [Noted("a"), Noted("b")]),
  "a tagged event": (store) => store.append("note:1", tagged),
  "several events, one of them tagged": (store) => store.append("note:1", [Noted("a"), tagged]),
  "an event for the outbox": (store) => store.publish("note:1", Noted("a")),
  "events of two streams": (store) =>
    store.appendAll([
      { streamId: "note:1", events: tagged, expectedVersion: 1 },
      { streamId: "note:2", events: [Noted("a"), Noted("b")] },
    ]),
};

const conflicts: typeof appends = {
  "one event": (store) => store.append("note:1", Noted("a"), { expectedVersion: 0 }),
  "several events": (store) => store.append("note:1", [Noted("a"), tagged], { expectedVersion: 0 }),
  "events of two streams": (store) =>
    store.appendAll([
      { streamId: "note:1", events: tagged, expectedVersion: 0 },
      { streamId: "note:2", events: [Noted("a"), Noted("b")] },
    ]),
};

for (const [name, append] of Object.entries(appends)) {
  test(`append() of ${name} takes one HTTP request on libSQL`, { timeout: 60_000 }, async () => {
    assert.equal(await requests(append), 1);
  });
}

for (const [name, append] of Object.entries(conflicts)) {
  // The second asks for the versions.
  test(
    `append() of ${name} is refused in two HTTP requests on libSQL`,
    { timeout: 60_000 },
    async () => {
      assert.equal(await requests((store) => assert.rejects(append(store), ConcurrencyError)), 2);
    },
  );
}

class Note extends Aggregate<EventOf<typeof Noted>> {
  static readonly category = "note";
  count = 0;
  protected apply(): void {
    this.count++;
  }
  protected override snapshot(): unknown {
    return this.count;
  }
  protected override restore(state: unknown): void {
    this.count = state as number;
  }
  add(limit: number): void {
    if (this.count >= limit) throw new RangeError("full");
    this.emit(Noted("a"));
  }
}

const commands: Record<
  string,
  { options: RepositoryOptions; refused?: boolean; expected: number }
> = {
  "without options": { options: {}, expected: 2 },
  "with a snapshot": { options: { snapshots: { every: 2 } }, expected: 2 },
  "on a kept state": { options: { cache: { max: 1 } }, expected: 1 },
  "refused on a kept state": { options: { cache: { max: 1 } }, refused: true, expected: 1 },
  "on a kept state, with snapshots": {
    options: { cache: { max: 1 }, snapshots: { every: 9 } },
    expected: 1,
  },
};

for (const [name, { options, refused, expected }] of Object.entries(commands)) {
  test(`a command ${name} takes ${expected} HTTP request${expected > 1 ? "s" : ""} on libSQL`, {
    timeout: 60_000,
  }, async () => {
    // The second leaves a snapshot of the two events that it has found.
    const prepare = async (store: Store) => {
      const notes = new Repository(store, Note, options);
      for (let count = 0; count < 2; count++) {
        await notes.aggregate("1", (note) => note.add(9));
      }
    };
    const command = async (store: Store) => {
      const notes = new Repository(store, Note, options);
      const done = notes.aggregate("1", (note) => note.add(refused ? 3 : 9));
      await (refused ? assert.rejects(done, RangeError) : done);
    };
    assert.equal(await requests(command, prepare), expected);
  });
}

test("migrate() takes four HTTP requests on libSQL, however many tables it makes", {
  timeout: 60_000,
}, async () => {
  await counting(async (client, sent) => {
    const driver = libsql(drizzle(client), { prefix: ownPrefix() });
    await client.execute("select 1"); // and the client knows the protocol
    const before = sent();
    await driver.migrate();
    assert.equal(sent() - before, 4);
  });
});

/** Counts the requests of some work on a store whose tables are made. */
async function requests(
  work: (store: Store) => Promise<unknown>,
  prepare: (store: Store) => Promise<unknown> = async () => {},
): Promise<number> {
  return await counting(async (client, sent) => {
    const prefix = ownPrefix();
    const open = async () => {
      const driver = libsql(drizzle(client), { prefix });
      await driver.migrate();
      return new EventStore(driver, { events: [Noted] });
    };
    await (await open()).append("note:1", Noted("first"));
    const store = await open(); // whose first append counts too
    await prepare(store);
    const before = sent();
    await work(store);
    return sent() - before;
  });
}

/** Works with a client whose requests are counted. */
async function counting<R>(work: (client: Client, sent: () => number) => Promise<R>): Promise<R> {
  let count = 0;
  const client = createClient({
    url: await sqldUrl(),
    fetch: (request: Request) => (count++, fetch(request)),
  });
  try {
    return await work(client, () => count);
  } finally {
    client.close();
  }
}
