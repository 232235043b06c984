// A stream that is long, and a command on it that is not: snapshots, and the test that they bring the state back.
import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { checkSnapshots } from "event-sourcery/testing";
import assert from "node:assert/strict";

const Deposited = defineEvent<{ cents: number; at: Date }>()("Deposited");
type Deposited = EventOf<typeof Deposited>;

interface AccountState {
  cents: number;
  last: Date | undefined;
}

class Account extends Aggregate<Deposited> {
  static readonly category = "account";
  /** Raise it when the state's shape changes: then the snapshots of before are not used. */
  static readonly stateVersion = 1;
  #state: AccountState = { cents: 0, last: undefined };

  protected apply({ data }: Deposited): void {
    this.#state = { cents: this.#state.cents + data.cents, last: data.at };
  }

  protected override snapshot(): AccountState {
    return this.#state;
  }

  protected override restore(state: AccountState): void {
    this.#state = state;
  }

  deposit(cents: number): number {
    if (cents <= 0) throw new RangeError("A deposit is positive");
    this.emit(Deposited({ cents, at: new Date() }));
    return this.#state.cents;
  }
}

const day = (date: number) => new Date(Date.UTC(2026, 0, date));
const history = [1, 2, 3].map((date) => Deposited({ cents: 100, at: day(date) }));
checkSnapshots(Account, history);

const store = new EventStore(memory(), {
  events: [Deposited],
  // A snapshot that cannot be kept costs nobody anything, but somebody should know.
  onError: (error, { phase }) => console.error(phase, error),
});
const many = Array.from({ length: 20_000 }, () => Deposited({ cents: 1, at: day(4) }));
await store.append("account:ada", many);

const accounts = new Repository(store, Account, { snapshots: { every: 100 } });
const time = async () => {
  const start = performance.now();
  await accounts.aggregate("ada", (account) => account.deposit(1));
  return performance.now() - start;
};
const first = await time();
const second = await time();
const loaded = await accounts.load("ada");
assert.equal(loaded?.version, 20_002);
assert.ok(second < first);
console.log("The first deposit read 20,000 events, the second a snapshot.");
