import type { AppendRequest, AppendStored } from "../../../mod.ts";
import { eventFields, expectationFields } from "./append.ts";
import { isConditional, streamOf } from "./waiting.ts";

/**
 * Writes the events of several requests as one JSON parameter: an array with an object for each event.
 *
 * `i` counts a stream's events over all requests, from 1; `c` is the number of events that fall away if the stream is
 * not as its first request expects it, 0 where that one is for any version.
 */
export function groupParameter(requests: readonly AppendRequest[]): string {
  const counts = new Map<string, number>();
  const rows = requests.flatMap((request) => {
    const { tenantId, writes: [write] } = request;
    const stream = streamOf(request);
    const before = counts.get(stream) ?? 0;
    counts.set(stream, before + write!.events.length);
    const fields = `"tenant":${JSON.stringify(tenantId)},${expectationFields(write!)}`;
    const skip = isConditional(request) ? write!.events.length : 0;
    const { condition } = request;
    // Only a stream's first request has one, and one row tells it.
    const asked = condition === undefined ? "" : `,"cond":${JSON.stringify(condition)}`;
    return write!.events.map((event, index) =>
      `{${fields},"c":${skip},"i":${before + index + 1}${index === 0 ? asked : ""},${
        eventFields(event)
      }}`
    );
  });
  return `[${rows.join(",")}]`;
}

/** The row that a group's statement returns for each event: tenant, stream, version and position. */
export type GroupRow = readonly [string, string, number, number];

/** What a group's statement did with a request: stored it, or found its stream at a version, if that is known. */
type GroupResult = AppendStored | { readonly status: "refused"; readonly version?: number };

/**
 * Finds what was stored of each request, which the number of a stream's rows tells: all of its requests, all but the
 * first, whose expectation did not hold, or none.
 */
export function storedRequests(
  requests: readonly AppendRequest[],
  rows: readonly GroupRow[],
): readonly GroupResult[] {
  const streams = new Map<string, { version: number; position: number }[]>();
  for (const [tenantId, streamId, version, position] of rows) {
    const stream = `${tenantId}\0${streamId}`;
    const own = streams.get(stream);
    if (own === undefined) streams.set(stream, [{ version, position }]);
    else own.push({ version, position });
  }
  for (const own of streams.values()) own.sort((a, b) => a.version - b.version);
  const wanted = new Map<string, number>();
  for (const request of requests) {
    const stream = streamOf(request);
    wanted.set(stream, (wanted.get(stream) ?? 0) + request.writes[0]!.events.length);
  }
  return requests.map((request): GroupResult => {
    const stream = streamOf(request);
    const own = streams.get(stream) ?? [];
    const { length } = request.writes[0]!.events;
    const missing = wanted.get(stream)! - own.length;
    wanted.set(stream, wanted.get(stream)! - length);
    if (missing > 0) {
      // Those that follow it in the statement begin at the version that it met.
      return own.length === 0
        ? { status: "refused" }
        : { status: "refused", version: own[0]!.version - 1 };
    }
    const here = own.splice(0, length);
    const positions = here.map(({ position }) => position);
    return { status: "stored", writes: [{ version: here.at(-1)!.version, positions }] };
  });
}
