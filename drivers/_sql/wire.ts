import type { StoredEvent, StoredStream } from "../../mod.ts";

/**
 * The columns of a page of events, each as the JSON text of an array: the database aggregates, and one parse a column
 * replaces an object a row. On Postgres this reads 475,000 events/s, where an aggregate of row arrays gives 330,000,
 * text columns and a parse a row 280,000, and row objects 215,000.
 */
export interface PageColumns {
  readonly tenant_id: string | null;
  readonly stream_id: string | null;
  readonly version: string | null;
  readonly position: string | null;
  readonly id: string | null;
  readonly type: string | null;
  readonly schema_version: string | null;
  readonly created_at: string | null;
  readonly data: string | null;
  readonly metadata: string | null;
  readonly codec: string | null;
  readonly tags: string | null;
  readonly published: string | null;
}

const nothing: readonly string[] = Object.freeze([]);

/** Turns the columns of a page into events. */
export function readPage(columns: PageColumns): readonly StoredEvent[] {
  const version = list<number>(columns.version);
  const position = list<number>(columns.position);
  const tenantId = list<string>(columns.tenant_id);
  const streamId = list<string>(columns.stream_id);
  const id = list<string>(columns.id);
  const type = list<string>(columns.type);
  const schemaVersion = list<number>(columns.schema_version);
  const createdAt = list<string>(columns.created_at);
  const data = list<unknown>(columns.data);
  const metadata = list<Record<string, unknown>>(columns.metadata);
  const codec = list<Record<string, string> | null>(columns.codec);
  const tags = list<readonly string[] | null>(columns.tags);
  const published = list<boolean | number>(columns.published);
  return version.map((_, index) => ({
    tenantId: tenantId[index]!,
    streamId: streamId[index]!,
    version: version[index]!,
    position: position[index]!,
    id: id[index]!,
    type: type[index]!,
    schemaVersion: schemaVersion[index]!,
    createdAt: instant(createdAt[index]!),
    data: data[index] ?? undefined,
    metadata: metadata[index]!,
    codec: codec[index] ?? null,
    tags: tags[index] ?? nothing,
    published: Boolean(published[index]),
  }));
}

/** The columns of a page of streams, as in `PageColumns`. */
export interface StreamColumns {
  readonly stream_id: string | null;
  readonly version: string | null;
  readonly created_at: string | null;
  readonly updated_at: string | null;
}

/** Turns the columns of a page into streams. */
export function readStreams(columns: StreamColumns): readonly StoredStream[] {
  const version = list<number>(columns.version);
  const createdAt = list<string>(columns.created_at);
  const updatedAt = list<string>(columns.updated_at);
  return list<string>(columns.stream_id).map((streamId, index) => ({
    streamId,
    version: version[index]!,
    createdAt: instant(createdAt[index]!),
    updatedAt: instant(updatedAt[index]!),
  }));
}

/** Postgres gives a UTC instant without its zone, SQLite as it was stored. */
function instant(text: string): string {
  return text.endsWith("Z") ? text : `${text}Z`;
}

export function list<Item>(json: string | null): readonly Item[] {
  return json === null ? [] : JSON.parse(json);
}
