import assert from "node:assert/strict";
import { test } from "node:test";
import { memory } from "../../drivers/memory/mod.ts";
import {
  Aggregate,
  type AggregateClass,
  type AggregateEvent,
  type AsOf,
  type CommandContext,
  type Decided,
  type Decider,
  decider,
  type DeciderOptions,
  defineEvent,
  type EventOf,
  EventStore,
  type RecordedEvent,
  Repository,
  type RepositoryOptions,
  type UnknownEvent,
} from "../../mod.ts";
import { expectType, refuses, same } from "./expect.ts";

const TurnedOn = defineEvent<{ watts: number }>()("TurnedOn");
const TurnedOff = defineEvent("TurnedOff");
const Broke = defineEvent<{ why: string }>()("Broke");

type TurnedOn = EventOf<typeof TurnedOn>;
type TurnedOff = EventOf<typeof TurnedOff>;
type Broke = EventOf<typeof Broke>;
type LightEvent = TurnedOn | TurnedOff;
type AppEvent = LightEvent | Broke;

class LightSwitch extends Aggregate<LightEvent> {
  static readonly category = "light";
  #watts = 0;

  get watts(): number {
    return this.#watts;
  }

  protected apply(event: LightEvent): void {
    switch (event.type) {
      case "TurnedOn":
        this.#watts = event.data.watts;
        break;
      case "TurnedOff":
        this.#watts = 0;
        break;
      default:
        event satisfies never;
    }
  }

  turnOn(watts: number): void {
    this.emit(TurnedOn({ watts }));
  }
}

class Fuse extends Aggregate<Broke> {
  protected apply(): void {}
}

const light = decider({
  category: "light",
  initialState: () => ({ watts: 0 }),
  evolve: (state, event: LightEvent) => ({
    watts: event.type === "TurnedOn" ? event.data.watts : 0 * state.watts,
  }),
  decide: (command: { watts: number } | "turn off", state) => {
    if (command === "turn off") return state.watts === 0 ? [] : TurnedOff();
    return [TurnedOn(command)];
  },
});

const open = () => new EventStore(memory(), { events: [TurnedOn, TurnedOff, Broke] });

test("Aggregate knows its events when a class extends it", () => {
  const hall = new LightSwitch();
  hall.turnOn(5);
  expectType<readonly LightEvent[]>()(hall.changes);
  expectType<string>()(hall.id);
  expectType<number>()(hall.version);
  same<AggregateEvent<LightSwitch>, LightEvent>();
  same<AggregateEvent<Fuse>, Broke>();
  assert.deepEqual(hall.changes.map(({ type }) => type), ["TurnedOn"]);
});

test("Repository infers class and events when the store has more of them", () => {
  const lights = new Repository(open(), LightSwitch);
  expectType<Repository<LightSwitch, AppEvent>>()(lights);
  expectType<Repository<Fuse, AppEvent>>()(new Repository(open(), Fuse));
  const own = new EventStore(memory(), { events: [TurnedOn, TurnedOff] });
  const exact: Repository<LightSwitch> = new Repository(own, LightSwitch);
  same<Repository<LightSwitch>, Repository<LightSwitch, LightEvent>>();
  expectType<Repository<LightSwitch, LightEvent>>()(exact);
  const Class: AggregateClass<LightSwitch> = LightSwitch;
  expectType<Repository<LightSwitch, AppEvent>>()(new Repository(open(), Class));
  const keeping = new EventStore(memory(), {
    events: [TurnedOn, TurnedOff],
    unknownEvents: "keep",
  });
  expectType<Repository<LightSwitch, LightEvent | UnknownEvent>>()(
    new Repository(keeping, LightSwitch),
  );
});

test("aggregate() and create() give what the command gave when it is sync or async", async () => {
  const lights = new Repository(open(), LightSwitch);
  const made = await lights.create("hall", (hall, context) => {
    expectType<LightSwitch>()(hall);
    expectType<CommandContext<AppEvent>>()(context);
    expectType<boolean>()(context.isNew);
    expectType<Date | undefined>()(context.createdAt);
    expectType<number>()(context.attempt);
    expectType<EventStore<AppEvent>>()(context.store);
    return hall.id;
  });
  expectType<string>()(made);
  expectType<number>()(await lights.aggregate("hall", ({ watts }) => watts));
  expectType<number>()(await lights.aggregate("hall", ({ watts }) => Promise.resolve(watts)));
  expectType<void>()(await lights.aggregate("hall", (hall) => hall.turnOn(5)));
  expectType<"on" | "off">()(
    await lights.aggregate("hall", async ({ watts }) => {
      return await Promise.resolve(watts) > 0 ? "on" : "off";
    }),
  );
  expectType<LightSwitch | undefined>()(await lights.load("hall"));
  assert.equal((await lights.load("hall", { version: 1 }))?.watts, 5);
});

test("Repository works inside a transaction when it is given the transaction's store", async () => {
  const watts = await open().transaction(({ store }) =>
    new Repository(store, LightSwitch).aggregate("hall", (hall) => {
      hall.turnOn(3);
      return hall.watts;
    })
  );
  expectType<number>()(watts);
  assert.equal(watts, 3);
});

test("decider() infers state, command and events when it is given functions", async () => {
  expectType<Decider<{ watts: number }, { watts: number } | "turn off", LightEvent>>()(light);
  const decided = await light.handle(open(), "hall", { watts: 3 });
  expectType<Decided<{ watts: number }, LightEvent>>()(decided);
  expectType<readonly RecordedEvent<LightEvent>[]>()(decided.events);
  expectType<{ watts: number }>()(decided.state);
  assert.equal(decided.state.watts, 3);
});

test("decider() takes all of evolve's events when decide makes only some", () => {
  const fuse = decider({
    initialState: () => 0,
    evolve: (count, _event: Broke | TurnedOff) => count + 1,
    decide: (_command: "break") => Broke({ why: "age" }),
  });
  expectType<Decider<number, "break", Broke | TurnedOff>>()(fuse);
});

test("options of models take undefined when they are left out", async () => {
  const options: RepositoryOptions = { retries: undefined };
  const asOf: AsOf = { version: undefined, at: undefined };
  const lights = new Repository(open(), LightSwitch, options);
  assert.equal(await lights.load("hall", asOf), undefined);
  const plain: DeciderOptions<number, string, Broke> = {
    category: undefined,
    retries: undefined,
    initialState: () => 0,
    evolve: (count) => count + 1,
    decide: (why) => Broke({ why }),
  };
  const { version } = await decider(plain).handle(open(), "fuse", "age");
  assert.equal(version, 1);
  const hall = await lights.create("hall", (it) => it);
  await lights.save(hall, { metadata: undefined });
});

test("models do not compile when they are misused", () => {
  refuses(async () => {
    const store = open();
    const lamps = new EventStore(memory(), { events: [TurnedOn, TurnedOff] });
    // @ts-expect-error the store has none of its events
    new Repository(lamps, Fuse);
    const half = new EventStore(memory(), { events: [TurnedOn] });
    // @ts-expect-error the store lacks one of its events
    new Repository(half, LightSwitch);
    // @ts-expect-error no aggregate
    new Repository(store, Date);
    // @ts-expect-error an instance instead of a class
    new Repository(store, new LightSwitch());
    // @ts-expect-error an unknown option
    new Repository(store, LightSwitch, { attempts: 3 });
    const lights = new Repository(store, LightSwitch);
    // @ts-expect-error an unknown command
    lights.aggregate("hall", (hall) => hall.explode());
    // @ts-expect-error a wrong argument
    lights.aggregate("hall", (hall) => hall.turnOn("bright"));
    // @ts-expect-error only the class emits
    lights.aggregate("hall", (hall) => hall.emit(TurnedOff()));
    // @ts-expect-error an aggregate of another class
    lights.save(new Fuse());
    // @ts-expect-error there may be none
    (await lights.load("hall")).watts;
    // @ts-expect-error a command that the decider does not know
    light.handle(store, "hall", "turn on");
    // @ts-expect-error a store that lacks one of its events
    light.handle(half, "hall", "turn off");
    decider({
      initialState: () => 0,
      evolve: (count, _event: Broke) => count + 1,
      // @ts-expect-error an event that evolve does not take
      decide: (_command: "turn off") => TurnedOff(),
    });
    decider({
      initialState: () => 0,
      // @ts-expect-error a state of another type
      evolve: (_count, _event: Broke) => "broken",
      decide: (why: string) => Broke({ why }),
    });
  });
});

test("Aggregate does not compile when a class breaks its rules", () => {
  refuses(() => {
    // @ts-expect-error without apply
    class Lazy extends Aggregate<LightEvent> {}
    class Foreign extends Aggregate<LightEvent> {
      // @ts-expect-error apply must take the aggregate's events
      protected apply(_event: Broke): void {}
    }
    class Stranger extends Aggregate<LightEvent> {
      protected apply(): void {}
      breakIt(): void {
        // @ts-expect-error an event of another aggregate
        this.emit(Broke({ why: "age" }));
      }
    }
    class Forgetful extends Aggregate<LightEvent> {
      protected apply(event: LightEvent): void {
        if (event.type === "TurnedOn") return;
        // @ts-expect-error TurnedOff is left
        event satisfies never;
      }
    }
    class Needy extends Aggregate<LightEvent> {
      constructor(watts: number) {
        super();
        this.turnOn(watts);
      }
      turnOn(watts: number): void {
        this.emit(TurnedOn({ watts }));
      }
      protected apply(): void {}
    }
    // @ts-expect-error a constructor with arguments
    new Repository(open(), Needy);
    return [Lazy, Foreign, Stranger, Forgetful] satisfies unknown[];
  });
});
