import type { Event } from "../event/event.ts";
import { checkNumber, checkObject } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";
import { type Internals, internalsOf } from "../store/internals.ts";
import type { Folding } from "./model.ts";

/**
 * How states stay in memory between commands, so that a command needs one round trip: it appends under the expectation
 * that nobody else has.
 *
 * Commands run again more often than without a cache, and what they do must depend on nothing but the state. It is of no
 * use where many processes write one stream all the time, or where a process serves one request.
 *
 * @category Aggregates
 */
export interface CacheOptions {
  /** The greatest number of streams that are kept, from 1; the one unused longest goes first. */
  readonly max: number;
  /** How long a state is used after it was last checked, in milliseconds. @default for ever */
  readonly maxAge?: number | undefined;
}

/** A state that is kept, at the last event that its process has seen. */
export interface Entry<State> extends Folding<State> {
  /** Whether another writer was faster the last time: then newer events are read before the next command. */
  contended: boolean;
  /** When it was kept, in milliseconds since 1970. */
  keptAt: number;
}

/** The states of one class or decider of a store, by tenant and stream; the one unused longest comes first. */
export class StateCache<State> {
  readonly #entries: Map<string, Entry<State>> = new Map();
  max = 0;

  /**
   * Takes a state out: two commands never share one.
   *
   * @param keyAge How long one with sensitive fields is used after they were opened, in milliseconds.
   */
  take(key: string, maxAge: number, keyAge: number = Infinity): Entry<State> | undefined {
    const entry = this.#entries.get(key);
    this.#entries.delete(key);
    if (entry === undefined || Date.now() - entry.keptAt > maxAge) return undefined;
    return Date.now() - entry.openedAt >= keyAge ? undefined : entry;
  }

  /** Puts a state in, unless a later one has come back meanwhile. */
  put(key: string, folding: Folding<State>, contended: boolean): void {
    const other = this.#entries.get(key);
    if (folding.version === 0 || (other !== undefined && other.version > folding.version)) return;
    this.#entries.delete(key);
    this.#entries.set(key, { ...folding, contended, keptAt: Date.now() });
    for (const [oldest] of this.#entries) {
      if (this.#entries.size <= this.max) break;
      this.#entries.delete(oldest);
    }
  }

  drop(key: string): void {
    this.#entries.delete(key);
  }

  /** Drops the states of a tenant that have sensitive fields in them. */
  dropOpened(tenantId: string): void {
    for (const [key, { keys }] of this.#entries) {
      if (keys.size > 0 && key.startsWith(`${tenantId}\0`)) this.#entries.delete(key);
    }
  }
}

/** The caches of a store. */
class Caches {
  /** By class or decider: repositories made anew for each request share them. */
  readonly #owned: WeakMap<object, StateCache<never>> = new WeakMap();
  /** All of them, as long as their owner is there: a decider may be made anew for each request. */
  readonly #alive: Set<WeakRef<StateCache<never>>> = new Set();
  readonly #collected = new FinalizationRegistry<WeakRef<StateCache<never>>>((reference) => {
    this.#alive.delete(reference);
  });

  of<State>(owner: object): StateCache<State> {
    let cache = this.#owned.get(owner);
    if (cache === undefined) {
      cache = new StateCache();
      this.#owned.set(owner, cache);
      const reference = new WeakRef(cache);
      this.#alive.add(reference);
      this.#collected.register(cache, reference);
    }
    return cache as unknown as StateCache<State>; // of this owner's states
  }

  /** Drops the states of a stream; without one, those of a tenant that have sensitive fields in them. */
  forget(tenantId: string, streamId?: string): void {
    for (const reference of this.#alive) {
      const cache = reference.deref();
      if (streamId === undefined) cache?.dropOpened(tenantId);
      else cache?.drop(`${tenantId}\0${streamId}`);
    }
  }
}

const caches: WeakMap<object, Caches> = new WeakMap();

function cachesOf(shared: Internals<Event, unknown>["shared"]): Caches {
  const known = caches.get(shared);
  if (known !== undefined) return known;
  const made = new Caches();
  caches.set(shared, made);
  shared.forgetters.push((tenantId, streamId) => made.forget(tenantId, streamId));
  return made;
}

/** Checks the options. */
export function readCacheOptions(
  options: CacheOptions,
): { readonly max: number; readonly maxAge: number } {
  const { max, maxAge = Infinity } = checkObject("cache", options);
  checkNumber("cache.max", max, 1);
  if (maxAge !== Infinity) checkNumber("cache.maxAge", maxAge);
  return { max, maxAge };
}

/**
 * Returns the cache of a class or decider in a store.
 *
 * @throws {UnsupportedError} If the store's driver cannot tell a stream from one that was made anew under its name.
 */
export function cacheOf<State>(
  store: object,
  owner: object,
  { max }: Pick<CacheOptions, "max">,
): { readonly cache: StateCache<State>; readonly internals: Internals<Event, unknown> } {
  const internals = internalsOf<Event, unknown>(store);
  if (!internals?.shared.driver.capabilities.expectedEventId) {
    throw new UnsupportedError("keep states", 'its driver lacks the capability "expectedEventId"');
  }
  const cache = cachesOf(internals.shared).of<State>(owner);
  cache.max = Math.max(cache.max, max);
  return { cache, internals };
}
