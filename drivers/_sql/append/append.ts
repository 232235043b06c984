import type { AppendOutcome, AppendRequest, NewEvent, StreamWrite } from "../../../mod.ts";
import type { Parameter } from "../statement.ts";
import { number } from "../row.ts";

/** Returns the expected version as one number that SQL compares: a version, -1 for any, -2 for an existing stream. */
function expectation(expected: AppendRequest["writes"][number]["expectedVersion"]): number {
  if (typeof expected === "number") return expected;
  return { any: -1, streamExists: -2, noStream: 0 }[expected];
}

/**
 * Writes all events of a request as one JSON parameter: an array with an object for each event.
 *
 * The data is JSON already and is inserted unchanged. `i` counts a stream's events from 1; absent data is omitted, so
 * that it becomes null in SQL, where JSON's own null stays JSON.
 */
export function eventsParameter({ writes }: AppendRequest): string {
  const rows = writes.flatMap((write) => {
    const stream = expectationFields(write);
    return write.events.map((event, index) => `{${stream},"i":${index + 1},${eventFields(event)}}`);
  });
  return `[${rows.join(",")}]`;
}

/** Writes the members of a stream and its expectation, which each of its events repeats. */
export function expectationFields(
  { streamId, category, slot, expectedVersion, expectedEventId }: StreamWrite,
): string {
  return `"stream_id":${JSON.stringify(streamId)},"category":${
    JSON.stringify(category)
  },"slot":${slot},"expected":${expectation(expectedVersion)}` +
    (expectedEventId === undefined ? "" : `,"expected_id":${JSON.stringify(expectedEventId)}`);
}

/** Writes the members of an event. */
export function eventFields(event: NewEvent): string {
  const { id, type, schemaVersion, createdAt, data, metadata, codec, tags, published } = event;
  const imported = event.imported ? ',"imported":true' : "";
  return `"id":${JSON.stringify(id)},"type":${
    JSON.stringify(type)
  },"schema_version":${schemaVersion},` +
    `"created_at":"${createdAt}",${data === null ? "" : `"data":${data},`}"metadata":${metadata},` +
    `${codec === null ? "" : `"codec":${codec},`}` +
    `${
      tags.length === 0 ? "" : `"tags":${JSON.stringify(tags)},`
    }"published":${published}${imported}`;
}

/** Whether the request is one event that happened here, without tags and condition, which a shorter statement appends. */
export function isSingle({ writes, condition }: AppendRequest): boolean {
  if (condition !== undefined || writes.length > 1 || writes[0]!.events.length > 1) return false;
  const { tags, imported = false } = writes[0]!.events[0]!;
  return tags.length === 0 && !imported;
}

/** Returns the parameters of the statement for one event, in its order. */
export function singleParameters({ tenantId, writes }: AppendRequest): readonly Parameter[] {
  const { streamId, category, slot, expectedVersion, events } = writes[0]!;
  const { id, type, schemaVersion, createdAt, data, metadata, codec, published } = events[0]!;
  return [
    tenantId,
    streamId,
    category,
    String(expectation(expectedVersion)),
    id,
    type,
    String(schemaVersion),
    createdAt,
    data,
    metadata,
    codec,
    String(published),
    String(slot),
  ];
}

/** The row that an append statement returns for each event. */
export interface InsertedRow {
  /**
   * JSON text, since PGlite drops a byte order mark at the start of a bare text; absent if the statement appends to one
   * stream only.
   */
  readonly stream_id?: string;
  readonly version: string;
  readonly position: string;
}

/** Groups the rows of an append statement by the request's writes, in their order. */
export function storedWrites(request: AppendRequest, rows: readonly InsertedRow[]): readonly {
  version: number;
  positions: readonly number[];
}[] {
  const single = request.writes.length === 1;
  const streams = new Map<string, InsertedRow[]>(
    request.writes.map(({ streamId }) => [streamId, single ? [...rows] : []]),
  );
  if (!single) { for (const row of rows) streams.get(JSON.parse(row.stream_id!))!.push(row); }
  return request.writes.map(({ streamId }) => {
    const own = streams.get(streamId)!
      .map(({ version, position }) => ({ version: number(version), position: number(position) }))
      .sort((a, b) => a.version - b.version);
    return { version: own.at(-1)!.version, positions: own.map(({ position }) => position) };
  });
}

/** Returns the outcome of a lost race that aborted the transaction around it, which cannot be queried any more. */
export function abortedOutcome({ writes }: AppendRequest): AppendOutcome {
  const versions = writes.map(() => undefined);
  return { status: "refused", conflict: { kind: "version", versions }, transactionAborted: true };
}
