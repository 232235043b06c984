import type { AppendRequest } from "../../mod.ts";

/**
 * The most keys that one statement locks, and one transaction: the server's table of locks holds some thousands for all
 * connections together (`max_locks_per_transaction` × `max_connections`).
 */
export const mostKeys = 128;

/**
 * Returns the keys that appends lock: each distinct type and tag of their events, in the order in which all statements
 * lock them, so that no two wait for each other. A condition on one of them waits for the appends, and they for it.
 *
 * @param schema The schema's name, since locks belong to the whole database.
 */
export function keysOf(schema: string, requests: readonly AppendRequest[]): readonly bigint[] {
  const keys = new Set<bigint>();
  for (const { tenantId, writes } of requests) {
    for (const { events } of writes) {
      for (const { type, tags } of events) {
        keys.add(keyOf(schema, tenantId, "type", type));
        for (const tag of tags) keys.add(keyOf(schema, tenantId, "tag", tag));
      }
    }
  }
  return [...keys].sort((a, b) => a < b ? -1 : 1);
}

/** The keys that an append under a condition locks, and which of them no other may have. */
interface ConditionKeys {
  readonly keys: readonly bigint[];
  readonly exclusive: readonly boolean[];
}

/**
 * Returns what appends under conditions lock, in the order of all: of each item the first of its tags, which all of its
 * matches carry, or else its types; and, shared, the keys of their own events.
 *
 * @param shared The keys of their events.
 */
export function conditionKeysOf(
  schema: string,
  requests: readonly AppendRequest[],
  shared: readonly bigint[],
): ConditionKeys {
  const alone = new Set(
    requests.flatMap(({ tenantId, condition }) =>
      (condition?.items ?? []).flatMap(({ types = [], tags = [] }) =>
        tags.length > 0
          ? [keyOf(schema, tenantId, "tag", [...tags].sort()[0]!)]
          : types.map((type) => keyOf(schema, tenantId, "type", type))
      )
    ),
  );
  const keys = [...new Set([...alone, ...shared])].sort((a, b) => a < b ? -1 : 1);
  return { keys, exclusive: keys.map((key) => alone.has(key)) };
}

/**
 * Returns the lock's key of a type or tag. Every process must find the same one, so this function never changes: two
 * multiplicative hashes of the UTF-16 units, of 32 bits each, mixed, as one signed number. Two names with one key only
 * wait for each other.
 */
function keyOf(schema: string, tenantId: string, of: "type" | "tag", name: string): bigint {
  let [high, low] = [0x9e3779b9, 0x85ebca6b];
  const text = `${schema}\0${tenantId}\0${of}\0${name}`;
  for (let index = 0; index < text.length; index++) {
    const unit = text.charCodeAt(index);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit, 0x5bd1e995);
    high ^= low >>> 15;
  }
  high = Math.imul(high ^ (high >>> 16), 0x2c1b3c6d);
  low = Math.imul(low ^ (low >>> 13) ^ high, 0x297a2d39);
  return (BigInt(high) << 32n) | BigInt(low >>> 0);
}

/** The keys of each open transaction. */
const held: WeakMap<object, Set<bigint>> = new WeakMap();

/** Adds keys to those of a transaction, and returns how many it has by now. */
export function holdKeys(transaction: object, keys: readonly bigint[]): number {
  const own = held.get(transaction) ?? new Set();
  for (const key of keys) own.add(key);
  held.set(transaction, own);
  return own.size;
}

/** Writes keys as the array that statements take. */
export function keysParameter(keys: readonly bigint[]): string {
  return `{${keys.join(",")}}`;
}
