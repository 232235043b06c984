// A light switch: two events, a class that protects its rules, a repository that loads and saves it.
import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const TurnedOn = defineEvent("TurnedOn");
const TurnedOff = defineEvent("TurnedOff");
type LightEvent = EventOf<typeof TurnedOn | typeof TurnedOff>;

class AlreadyTurnedOn extends Error {}
class AlreadyTurnedOff extends Error {}

class LightSwitch extends Aggregate<LightEvent> {
  static readonly category = "light";
  #shines = false;

  protected apply(event: LightEvent): void {
    switch (event.type) {
      case "TurnedOn":
        this.#shines = true;
        break;
      case "TurnedOff":
        this.#shines = false;
        break;
    }
  }

  get shines(): boolean {
    return this.#shines;
  }

  turnOn(): void {
    if (this.#shines) throw new AlreadyTurnedOn();
    this.emit(TurnedOn());
  }

  turnOff(): void {
    if (!this.#shines) throw new AlreadyTurnedOff();
    this.emit(TurnedOff());
  }
}

const store = new EventStore(memory(), { events: [TurnedOn, TurnedOff] });
const lights = new Repository(store, LightSwitch);

// The first command on a new id makes the aggregate; what it emitted is saved when the command returns.
await lights.aggregate("hall", (light) => light.turnOn());
assert.equal((await lights.load("hall"))?.shines, true);

// A refused command reaches the caller as its own error, and leaves nothing behind.
await assert.rejects(lights.aggregate("hall", (light) => light.turnOn()), AlreadyTurnedOn);
await assert.rejects(lights.aggregate("cellar", (light) => light.turnOff()), AlreadyTurnedOff);
assert.equal(await store.version("light:hall"), 1);
assert.equal(await store.version("light:cellar"), 0);

// Inside, a refusal may be caught and another command tried.
async function toggle(id: string): Promise<void> {
  await lights.aggregate(id, (light) => {
    try {
      light.turnOn();
    } catch (error) {
      if (!(error instanceof AlreadyTurnedOn)) throw error;
      light.turnOff();
    }
  });
}

await toggle("hall");
await toggle("cellar");
assert.equal((await lights.load("hall"))?.shines, false);
assert.equal((await lights.load("cellar"))?.shines, true);

for await (const event of store.readAll()) console.log(event.streamId, event.type);
console.log("The hall is dark, the cellar is lit");
