import type { StreamKey } from "../driver/keys.ts";
import type { LoadOperation, Observer } from "./observer.ts";
import { categoryOf } from "../event/stream.ts";
import { around } from "./around.ts";

/** Runs the reading of a page of a stream inside an observer. */
export function aroundLoad<R>(
  observer: Observer,
  { tenantId, streamId }: StreamKey,
  read: () => Promise<R>,
): Promise<R> {
  const operation: LoadOperation = {
    ...{ name: "load", tenantId, streamId, category: categoryOf(streamId) },
  };
  return around(observer, operation, read);
}
