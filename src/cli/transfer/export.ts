import type { Event, EventStore, StoredEvent } from "../../../mod.ts";
import { checkName, checkNumber, checkObject } from "../../errors/check.ts";
import { cloudEventOf } from "../../publishers/attributes.ts";
import { checkSource } from "../../publishers/encoding.ts";
import { internalsOf } from "../../store/internals.ts";

/** What is exported. */
interface ExportOptions {
  /** Only events after this position. @default 0 */
  readonly after?: number | undefined;
  /** Only events of this stream. @default all */
  readonly streamId?: string | undefined;
  /** Only events of streams of this category. @default all */
  readonly category?: string | undefined;
  /** Ends it, with the signal's reason. @default nothing does */
  readonly signal?: AbortSignal | undefined;
  /** Tells up to which position the log was read, and up to which it will be. */
  readonly onProgress?: ((position: number, until: number) => void) | undefined;
}

const pageSize = 1000;

/**
 * Reads the log as it is stored, by position, up to where it is settled when it begins. A page is held at a time.
 *
 * @param store The store; scoped to a tenant, only its events. Without a scope, a stream is one of the tenant `""`.
 */
export async function* exportEvents<E extends Event, Db>(
  store: EventStore<E, Db>,
  options: ExportOptions = {},
): AsyncGenerator<StoredEvent, void, void> {
  const { after = 0, streamId, category, signal, onProgress } = checkObject("options", options);
  checkNumber("after", after);
  if (streamId !== undefined) checkName("streamId", streamId);
  const internals = internalsOf<Event, unknown>(store);
  if (internals === undefined) throw new TypeError("store must be an event store");
  const session = internals.session();
  const until = await session.settled();
  const query = {
    tenantId: internals.tenantId ?? (streamId === undefined ? undefined : ""),
    categories: category === undefined ? undefined : [category],
    ...{ streamId, types: undefined, tags: undefined, until, limit: pageSize },
  };
  for (let position = after; position < until;) {
    signal?.throwIfAborted();
    const { events, scanned } = await session.scan({ ...query, after: position });
    yield* events;
    position = scanned;
    onProgress?.(position, until);
  }
}

/** Writes an event as a CloudEvent in JSON, with what is stored of it in its extensions. */
export function cloudLineOf(event: StoredEvent, source: string): string {
  checkSource(source);
  const createdAt = new Date(event.createdAt).toISOString();
  const codec = event.codec === null ? null : JSON.stringify(event.codec);
  return JSON.stringify(cloudEventOf({ ...event, createdAt, codec }, source));
}
