import { Aggregate, decider, defineEvent, type EventOf } from "event-sourcery";
import { checkSnapshots } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { test } from "node:test";

const Added = defineEvent<string>()("Added");
const Sealed = defineEvent("Sealed");
type BoxEvent = EventOf<typeof Added | typeof Sealed>;
const history = [Added("a"), Added("b"), Sealed(), Added("c")];

abstract class Box extends Aggregate<BoxEvent> {
  items: string[] = [];
  #sealed = false;
  protected apply(event: BoxEvent): void {
    if (event.type === "Sealed") this.#sealed = true;
    else if (!this.#sealed) this.items.push(event.data);
  }
  protected override snapshot(): unknown {
    return { items: this.items, sealed: this.#sealed };
  }
  protected override restore(state: unknown): void {
    const { items, sealed } = state as { items: string[]; sealed: boolean };
    this.items = items;
    this.#sealed = sealed;
  }
}

test("checkSnapshots() accepts states that come back", () => {
  class Good extends Box {}
  checkSnapshots(Good, history);
  checkSnapshots(Good, []);
  class Sometimes extends Box {
    protected override snapshot(): unknown {
      return this.items.length === 1 ? undefined : super.snapshot();
    }
  }
  checkSnapshots(Sometimes, history);
  const adding = decider({
    initialState: () => new Map<string, Date>(),
    evolve: (state, event: BoxEvent) => new Map(state).set(String(event.data), new Date(0)),
    decide: () => [],
  });
  checkSnapshots(adding, history);
});

test("checkSnapshots() finds a state that does not, and says where", () => {
  class Forgetful extends Box {
    protected override snapshot(): unknown {
      return { items: this.items, sealed: false };
    }
  }
  assert.throws(() => checkSnapshots(Forgetful, history), /with a snapshot after 3 of 4 events/);
  class Sharing extends Box {
    static shared: string[] = [];
    protected override restore(state: unknown): void {
      super.restore(state);
      this.items = [...this.items].reverse();
    }
  }
  assert.throws(() => checkSnapshots(Sharing, history), /after 2 of 4 events/);
  class Odd extends Box {
    protected override snapshot(): unknown {
      return { box: new Odd() };
    }
  }
  assert.throws(() => checkSnapshots(Odd, history), /cannot be stored/);
  class Without extends Aggregate<BoxEvent> {
    protected apply(): void {}
  }
  assert.throws(() => checkSnapshots(Without, history), /snapshot is missing/);
});
