import { memory } from "../../drivers/memory/mod.ts";
import { Aggregate, defineEvent, type EventOf, EventStore, Repository } from "../../mod.ts";
import type { RepositoryOptions } from "../../mod.ts";

/** It was turned on. */
export const TurnedOn = defineEvent("TurnedOn");
/** It was turned off. */
export const TurnedOff = defineEvent("TurnedOff");
/** What happens to a light. */
export type LightEvent = EventOf<typeof TurnedOn> | EventOf<typeof TurnedOff>;

/** Refuses to turn on what shines. */
export class AlreadyTurnedOn extends Error {}

/** A light that is on or off. */
export class LightSwitch extends Aggregate<LightEvent> {
  static readonly category: string = "light";
  shines = false;

  protected apply(event: LightEvent): void {
    switch (event.type) {
      case "TurnedOn":
        this.shines = true;
        break;
      case "TurnedOff":
        this.shines = false;
        break;
      default:
        event satisfies never;
    }
  }

  turnOn(): void {
    if (this.shines) throw new AlreadyTurnedOn("it shines already");
    this.emit(TurnedOn());
  }

  turnOff(): void {
    if (this.shines) this.emit(TurnedOff());
  }

  toggle(): void {
    if (this.shines) this.turnOff();
    else this.turnOn();
  }
}

/** A store of lights and its repository. */
export function lights(options: RepositoryOptions = {}) {
  const driver = memory();
  const store = new EventStore(driver, { events: [TurnedOn, TurnedOff] });
  return { driver, store, repository: new Repository(store, LightSwitch, options) };
}
