import { Aggregate, decider, defineEvent, type EventOf } from "event-sourcery";
import { given } from "event-sourcery/testing";
import assert from "node:assert/strict";
import { test } from "node:test";

const TurnedOn = defineEvent("TurnedOn");
const TurnedOff = defineEvent("TurnedOff");
const Dimmed = defineEvent<{ readonly percent: number }>()("Dimmed");
type LightEvent = EventOf<typeof TurnedOn> | EventOf<typeof TurnedOff> | EventOf<typeof Dimmed>;

class AlreadyTurnedOn extends Error {
  override readonly name = "AlreadyTurnedOn";
  readonly code = "ALREADY";
  readonly light: string;

  constructor(light: string) {
    super(`Light ${light} is already turned on`);
    this.light = light;
  }
}

class LightSwitch extends Aggregate<LightEvent> {
  static readonly category = "light";
  #shines = false;

  protected apply(event: LightEvent): void {
    if (event.type !== "Dimmed") this.#shines = event.type === "TurnedOn";
  }

  turnOn(): void {
    if (this.#shines) throw new AlreadyTurnedOn(this.id);
    this.emit(TurnedOn());
  }

  dim(...percents: readonly number[]): void {
    for (const percent of percents) this.emit(Dimmed({ percent }));
  }

  async turnOnLater(): Promise<void> {
    await Promise.resolve();
    this.turnOn();
  }
}

const light = decider({
  category: "light",
  initialState: () => false,
  evolve: (_shines: boolean, event: LightEvent) => event.type === "TurnedOn",
  decide: (command: "on" | "off" | "blink" | "break", shines) => {
    if (command === "break") throw new RangeError("It is broken");
    if (command === "blink") return [TurnedOn(), TurnedOff()];
    if ((command === "on") === shines) return [];
    return command === "on" ? TurnedOn() : TurnedOff();
  },
});

const on = [TurnedOn()];

test("emits() accepts the events of a command, whatever their ids and times", () => {
  const createdAt = new Date("2020-01-01");
  given(LightSwitch).when((light) => light.turnOn()).emits(TurnedOn(undefined, { createdAt }));
  given(LightSwitch, on).when((light) => light.dim(10)).emits({
    type: "Dimmed",
    data: { percent: 10 },
  });
});

test("emits() takes several events as arguments or as lists", () => {
  const dimmed = given(LightSwitch).when((light) => light.dim(1, 2));
  const expected = [Dimmed({ percent: 1 }), Dimmed({ percent: 2 })] as const;
  dimmed.emits(...expected);
  dimmed.emits(expected);
  dimmed.emits([expected[0]], expected[1]);
});

test("emits() refuses other events, another order, fewer and more", () => {
  const dimmed = given(LightSwitch).when((light) => light.dim(1, 2));
  for (const percents of [[], [1], [2, 1], [1, 3], [1, 2, 3]]) {
    const expected = percents.map((percent) => Dimmed({ percent }));
    assert.throws(() => dimmed.emits(expected), assert.AssertionError);
  }
  assert.throws(() => dimmed.emits(TurnedOn(), TurnedOff()), {
    name: "AssertionError",
    message: /emit TurnedOn, TurnedOff, but it emitted Dimmed, Dimmed/,
  });
});

test("emits() names the error of a command that failed, as its cause too", () => {
  const failed = given(LightSwitch, on, { id: "hall" }).when((light) => light.turnOn());
  assert.throws(() => failed.emits(TurnedOn()), (error) => {
    assert.ok(error instanceof assert.AssertionError);
    assert.match(error.message, /emit TurnedOn, but .* AlreadyTurnedOn: Light hall is already/);
    assert.ok(error.cause instanceof AlreadyTurnedOn);
    return true;
  });
});

test("emitsNothing() accepts no events only", () => {
  given(LightSwitch, on).when(() => {}).emitsNothing();
  given(light, on).when("on").emitsNothing();
  assert.throws(
    () => given(LightSwitch).when((light) => light.turnOn()).emitsNothing(),
    /emit nothing, but it emitted TurnedOn/,
  );
  assert.throws(
    () => given(LightSwitch, on).when((light) => light.turnOn()).emitsNothing(),
    /emit nothing, but it failed: AlreadyTurnedOn/,
  );
});

test("fails() accepts a class, a pattern, an error, fields, a function, or any error", () => {
  const failed = given(LightSwitch, on).when((light) => light.turnOn());
  failed.fails();
  failed.fails(AlreadyTurnedOn);
  failed.fails(Error);
  failed.fails(/^AlreadyTurnedOn: Light 1 is already turned on$/);
  failed.fails(new AlreadyTurnedOn("1"));
  failed.fails({ code: "ALREADY", message: /already/ });
  failed.fails((error) => error instanceof AlreadyTurnedOn && error.light === "1");
  given(light).when("break").fails(RangeError);
});

test("fails() refuses another error, which is its cause", () => {
  const failed = given(LightSwitch, on).when((light) => light.turnOn());
  const others = [
    ...[RangeError, /turned off/, () => false],
    ...[new AlreadyTurnedOn("2"), new Error("Light 1 is already turned on")],
    ...[{ code: "OTHER" }, { code: "ALREADY", message: /off/ }, { code: 1 }],
  ];
  for (const expected of others) {
    assert.throws(() => failed.fails(expected), (error) => {
      assert.ok(error instanceof assert.AssertionError);
      assert.match(error.message, /but it failed with AlreadyTurnedOn: Light 1/);
      assert.ok(error.cause instanceof AlreadyTurnedOn);
      return true;
    });
  }
  assert.throws(() => failed.fails(RangeError), /fail with RangeError, but/);
});

test("fails() refuses a command that succeeded", () => {
  const succeeded = given(LightSwitch).when((light) => light.turnOn());
  assert.throws(() => succeeded.fails(), /fail with an error, but it emitted TurnedOn/);
  assert.throws(() => given(light).when("off").fails(RangeError), /but it emitted nothing/);
});

test("fails() looks at what was thrown, not at what was emitted before", () => {
  given(LightSwitch).when((light) => {
    light.turnOn();
    throw new RangeError("too late");
  }).fails(/too late/);
});

test("when() of an asynchronous command gives checks to await", async () => {
  await given(LightSwitch).when((light) => light.turnOnLater()).emits(TurnedOn());
  await given(LightSwitch).when(async () => {}).emitsNothing();
  const failed = given(LightSwitch, on).when((light) => light.turnOnLater());
  await failed.fails(AlreadyTurnedOn);
  await assert.rejects(failed.emits(TurnedOn()), /but it failed: AlreadyTurnedOn/);
  await assert.rejects(failed.fails(RangeError), assert.AssertionError);
});

test("when() runs each command on an aggregate made anew", () => {
  const shining = given(LightSwitch, on);
  shining.when((light) => light.dim(1)).emits(Dimmed({ percent: 1 }));
  shining.when((light) => light.dim(2)).emits(Dimmed({ percent: 2 }));
  shining.when((light) => assert.deepEqual([light.id, light.version], ["1", 1])).emitsNothing();
});

test("when() of a decider decides in the state that the events lead to", () => {
  given(light).when("on").emits(TurnedOn());
  given(light, on).when("off").emits([TurnedOff()]);
  given(light, [...on, TurnedOff()]).when("blink").emits(TurnedOn(), TurnedOff());
  given(light, TurnedOn()).when("on").emitsNothing();
});

test("when() fails when a decider decides on what it cannot evolve by", () => {
  const broken = { ...light, evolve: () => assert.fail("an unknown event") };
  assert.throws(() => given(broken).when("on"), /an unknown event/);
});

test("given() knows the events and commands of its subject", () => {
  const Unrelated = defineEvent("Unrelated");
  const dimmed = given(LightSwitch).when((light) => light.dim(1));
  const misuses = [
    // @ts-expect-error: not an event of the aggregate
    () => dimmed.emits(Unrelated()),
    // @ts-expect-error: no data of this event
    () => dimmed.emits({ type: "Dimmed", data: { percent: "1" } }),
    // @ts-expect-error: not an event of the aggregate
    () => given(LightSwitch, [Unrelated()]),
    // @ts-expect-error: no method of the aggregate
    () => given(LightSwitch).when((light) => light.explode()),
    // @ts-expect-error: not an event of the decider
    () => given(light, [Unrelated()]),
    // @ts-expect-error: not a command of the decider
    () => given(light).when("explode"),
  ];
  assert.equal(misuses.length, 6);
  const later: Promise<void> = given(LightSwitch).when((light) => light.turnOnLater())
    .emits(TurnedOn());
  return later;
});

test("emits() says in its first line that only the data differ", () => {
  const dimmed = given(LightSwitch).when((light) => light.dim(1, 2));
  assert.throws(
    () => dimmed.emits(Dimmed({ percent: 1 }), Dimmed({ percent: 3 })),
    /^AssertionError.*emit Dimmed, Dimmed, but it emitted Dimmed, Dimmed with other data\n/,
  );
});

test("fails() shows the expected and the actual fields of an error", () => {
  const failed = given(LightSwitch, on).when((light) => light.turnOn());
  for (
    const [expected, message] of [
      [{ code: "empty" }, /with an error with code "empty", but .* turned on with code "ALREADY"$/],
      [
        { code: "ALREADY", light: /^2/ },
        /with code "ALREADY", light \/\^2\/, but .* with light "1"$/,
      ],
      [
        { code: 5, extra: [1] },
        /with code 5, extra an array, .* with code "ALREADY", extra undefined$/,
      ],
    ] as const
  ) {
    assert.throws(() => failed.fails(expected), { message });
  }
});

test("fails() names the class of an error that sets no name", () => {
  class OrderError extends RangeError {}
  const failed = given(LightSwitch).when(() => {
    throw new OrderError("too much");
  });
  failed.fails(/^OrderError: too much$/);
  failed.fails(/^RangeError: too much$/);
  assert.throws(() => failed.fails(TypeError), /but it failed with OrderError: too much/);
  assert.throws(() => failed.emitsNothing(), /but it failed: OrderError: too much/);
});

test("hasState() compares the whole state of a decider, before and after a command", () => {
  given(light).hasState(false);
  given(light, on).hasState(true);
  given(light).when("blink").hasState(false);
  given(light, on).when("on").hasState(true);
  const other = /lead to another state\n[^]*true/;
  assert.throws(() => given(light).when("on").hasState(false), { message: other });
  assert.throws(() => given(light, on).hasState(false), { name: "AssertionError", message: other });
  assert.throws(() => given(light).when("break").hasState(false), (error) => {
    assert(error instanceof assert.AssertionError && error.cause instanceof RangeError);
    return /lead to a state, but it failed: RangeError: It is broken/.test(error.message);
  });
});

test("hasState() compares the members of an aggregate that are named", async () => {
  class Lamp extends LightSwitch {
    #dimmed: readonly number[] = [];
    get dimmed(): readonly number[] {
      return this.#dimmed;
    }
    protected override apply(event: LightEvent): void {
      super.apply(event);
      if (event.type === "Dimmed") this.#dimmed = [...this.#dimmed, event.data.percent];
    }
  }
  given(Lamp).hasState({ id: "1", version: 0, dimmed: [] });
  given(Lamp, [Dimmed({ percent: 1 })], { id: "hall" }).hasState({ id: "hall", dimmed: [1] });
  const dimmed = given(Lamp, [Dimmed({ percent: 1 })]).when((lamp) => lamp.dim(2));
  dimmed.hasState({ dimmed: [1, 2] });
  assert.throws(() => dimmed.hasState({ dimmed: [1, 3] }), assert.AssertionError);
  await given(Lamp).when((lamp) => lamp.turnOnLater()).hasState({ version: 0 });
  await assert.rejects(
    given(Lamp).when((lamp) => lamp.turnOnLater()).hasState({ version: 1 }),
    assert.AssertionError,
  );
});
