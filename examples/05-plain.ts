// Aggregates without the base class and without the repository: both only save typing.
import { decider, defineEvent, type EventOf, EventStore } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const AccountOpened = defineEvent<{ owner: string }>()("AccountOpened");
const MoneyDeposited = defineEvent<{ cents: number }>()("MoneyDeposited");
const MoneyWithdrawn = defineEvent<{ cents: number }>()("MoneyWithdrawn");
const accountEvents = [AccountOpened, MoneyDeposited, MoneyWithdrawn] as const;
type AccountEvent = EventOf<typeof accountEvents[number]>;

class Overdrawn extends Error {}

const store = new EventStore(memory(), { events: accountEvents });

// 1. The store alone: fold the stream into a value, decide, append the resulting events.
interface Account {
  readonly owner: string;
  readonly balance: number;
}

const unopened: Account = { owner: "", balance: 0 };

function evolve(account: Account, event: AccountEvent): Account {
  switch (event.type) {
    case "AccountOpened":
      return { ...account, owner: event.data.owner };
    case "MoneyDeposited":
      return { ...account, balance: account.balance + event.data.cents };
    case "MoneyWithdrawn":
      return { ...account, balance: account.balance - event.data.cents };
  }
}

async function withdraw(id: string, cents: number): Promise<void> {
  const expectedVersion = await store.version(id);
  const { balance } = await store.fold(id, unopened, evolve, { to: expectedVersion });
  if (balance < cents) throw new Overdrawn();
  await store.append(id, MoneyWithdrawn({ cents }), { expectedVersion });
}

const id = crypto.randomUUID(); // a bare UUID is a stream id
await store.append(id, [AccountOpened({ owner: "Ada" }), MoneyDeposited({ cents: 100_00 })]);
await withdraw(id, 30_00);
await assert.rejects(withdraw(id, 80_00), Overdrawn);
assert.deepEqual(await store.fold(id, unopened, evolve), { owner: "Ada", balance: 70_00 });

// 2. A plain class, which uses nothing of this library but its events.
class Purse {
  #account = unopened;
  readonly changes: AccountEvent[] = [];

  constructor(history: readonly AccountEvent[]) {
    this.#account = history.reduce(evolve, unopened);
  }

  get balance(): number {
    return this.#account.balance;
  }

  spend(cents: number): void {
    if (this.balance < cents) throw new Overdrawn();
    const event = MoneyWithdrawn({ cents });
    this.#account = evolve(this.#account, event);
    this.changes.push(event);
  }
}

const history = await store.load(id);
const purse = new Purse(history);
purse.spend(10_00);
purse.spend(5_00);
await store.append(id, purse.changes, { expectedVersion: history.length });
assert.equal(new Purse(await store.load(id)).balance, 55_00);

// 3. Pure functions: a decider, with the loading and the retries of a repository.
type Command = { readonly pay: number } | { readonly take: number };

const account = decider({
  category: "account",
  initialState: () => unopened,
  evolve,
  decide(command: Command, { balance }) {
    if ("pay" in command) return MoneyDeposited({ cents: command.pay });
    if (balance < command.take) throw new Overdrawn();
    return MoneyWithdrawn({ cents: command.take });
  },
});

await account.handle(store, "grace", { pay: 20_00 });
const { version, state } = await account.handle(store, "grace", { take: 5_00 });
assert.deepEqual([version, state.balance], [2, 15_00]);
await assert.rejects(account.handle(store, "grace", { take: 20_00 }), Overdrawn);
console.log(`Ada has ${purse.balance / 100}, Grace ${state.balance / 100}`);
