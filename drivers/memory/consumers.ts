import type { ConsumerDefinition, ConsumerFailure, ConsumerKey } from "../../mod.ts";
import { keyOf } from "./key.ts";
import type { Parked } from "./parked.ts";

/** A stored lane; it has an owner until its lease is released, even after that has run out. */
interface Lane {
  readonly position: number;
  readonly epoch: number;
  readonly owner: string | undefined;
  readonly leasedUntil: number;
  readonly crashes: number;
  readonly stalled: boolean;
}

/** A stored consumer: immutable, replaced as a whole. */
export interface Consumer {
  readonly key: ConsumerKey;
  readonly definition: ConsumerDefinition;
  readonly lanes: readonly Lane[];
  readonly parked: ReadonlyMap<string, Parked>;
  readonly seenAt?: number | undefined;
  readonly failure?: ConsumerFailure | undefined;
}

/** The committed consumers, or the changes of an open transaction on top of them. */
export class ConsumerStates {
  readonly #base: ConsumerStates | undefined;
  /** Undefined marks a removed consumer. */
  readonly #consumers: Map<string, Consumer | undefined> = new Map();

  constructor(base: ConsumerStates | undefined) {
    this.#base = base;
  }

  get(key: ConsumerKey): Consumer | undefined {
    const text = textOf(key);
    return this.#consumers.has(text) ? this.#consumers.get(text) : this.#base?.get(key);
  }

  put(consumer: Consumer): void {
    this.#consumers.set(textOf(consumer.key), consumer);
  }

  remove(key: ConsumerKey): void {
    this.#consumers.set(textOf(key), undefined);
  }

  all(): readonly Consumer[] {
    return [
      ...this.#base?.all().filter(({ key }) => !this.#consumers.has(textOf(key))) ?? [],
      ...[...this.#consumers.values()].filter((consumer) => consumer !== undefined),
    ];
  }

  /** Commits a transaction: applies its changes to its base. */
  commit(): void {
    for (const [text, consumer] of this.#consumers) this.#base!.#consumers.set(text, consumer);
  }

  /** Removes a stream from the parked streams of every consumer. */
  unpark(tenantId: string, streamId: string): void {
    const key = keyOf(tenantId, streamId);
    for (const consumer of this.all()) {
      if (!consumer.parked.has(key)) continue;
      const parked = new Map(consumer.parked);
      parked.delete(key);
      this.put({ ...consumer, parked });
    }
  }
}

function textOf({ scope, name, version }: ConsumerKey): string {
  return `${scope}\0${name}\0${version}`;
}

/**
 * Returns a consumer without parked streams, all its lanes free and at one position, with epochs above those before.
 */
export function reset(
  { scope, name, version }: ConsumerKey,
  definition: ConsumerDefinition,
  before: readonly Lane[],
): Consumer {
  const epoch = Math.max(0, ...before.map((lane) => lane.epoch + 1));
  const lane: Lane = {
    position: definition.position,
    epoch,
    owner: undefined,
    leasedUntil: 0,
    crashes: 0,
    stalled: false,
  };
  const lanes = Array.from({ length: definition.lanes }, () => lane);
  return { key: { scope, name, version }, definition, lanes, parked: new Map() };
}

/** Returns a consumer with one of its lanes replaced. */
export function withLane(consumer: Consumer, number: number, lane: Lane): Consumer {
  return { ...consumer, lanes: consumer.lanes.with(number, lane) };
}
