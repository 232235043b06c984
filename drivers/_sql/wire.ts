import type { ProbedEvent, StoredEvent, StoredStream, StreamPage } from "../../mod.ts";
import { flag } from "./row.ts";

/** The columns of an event. */
export const eventColumns = [
  "tenant_id",
  "stream_id",
  "version",
  "position",
  "id",
  "type",
  "schema_version",
  "created_at",
  "data",
  "metadata",
  "codec",
  "tags",
  "published",
  "imported",
] as const;

/** The columns of JSON text whose length the caller chooses; the others are short. */
export const jsonColumns = ["data", "metadata", "codec", "tags"] as const;

/**
 * The most bytes of JSON in a page, unless its first event alone has more. Far below what a text may be in
 * Postgres (1 GB) and in a JavaScript engine (512 MB); a libSQL server refuses any above 4 MB.
 */
export const pageBytes: number = 2 * 1024 * 1024;

/** The columns of a page of the log, in order. */
export const logColumns = [...eventColumns, "cut"] as const;

/** The columns of an event that a page of one stream has: those that its query knows are not read. */
export const loadedColumns: readonly EventColumn[] = eventColumns.filter((column) =>
  column !== "tenant_id" && column !== "stream_id"
);

/** The columns of a page of one stream, in order. */
export const streamPageColumns: readonly string[] = [...loadedColumns, "cut"];

/** The name of a column of an event. */
export type EventColumn = (typeof eventColumns)[number];

/** The columns of a page of matches, in order. */
export const matchColumns = [...logColumns, "settled"] as const;

/**
 * The columns of a page of events, each as the JSON text of an array: the database aggregates, and one parse a column
 * replaces an object a row. A page of one stream lacks the columns that its query knows. On Postgres this reads 475,000 events/s, where an aggregate of row arrays reads 330,000,
 * text columns and a parse a row 280,000, and row objects 215,000.
 */
export type PageColumns = Readonly<Record<(typeof logColumns)[number], string | null>>;

/** What the query of a page knows of its events. */
interface Known {
  readonly tenantId: string;
  readonly streamId: string;
}

/** A page as it was read. */
interface Page {
  readonly events: readonly StoredEvent[];
  /** Whether the limit of bytes has cut it off, although more events were found. */
  readonly cut: boolean;
}

const nothing: readonly string[] = Object.freeze([]);

/** Turns the columns of a page into events, of the stream `known` if it is a page of one. */
export function readPage(columns: PageColumns, known?: Known): Page {
  const version = list<number>(columns.version);
  const position = list<number>(columns.position);
  const tenantId = known ? undefined : list<string>(columns.tenant_id);
  const streamId = known ? undefined : list<string>(columns.stream_id);
  const id = list<string>(columns.id);
  const type = list<string>(columns.type);
  const schemaVersion = list<number>(columns.schema_version);
  const createdAt = list<string>(columns.created_at);
  const data = list<unknown>(columns.data);
  const metadata = list<Record<string, unknown>>(columns.metadata);
  const codec = list<Record<string, string> | null>(columns.codec);
  const tags = list<readonly string[] | null>(columns.tags);
  const published = list<boolean | number>(columns.published);
  const imported = list<boolean | number>(columns.imported);
  const events = version.map((_, index) => ({
    tenantId: known?.tenantId ?? tenantId![index]!,
    streamId: known?.streamId ?? streamId![index]!,
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
    imported: Boolean(imported[index]),
  }));
  return { events, cut: events.length > 0 && flag(columns.cut) };
}

/** Turns the columns of a page into a page of a stream, of which at most `limit` events were wanted. */
export function streamPage(limit: number, known?: Known): (columns: PageColumns) => StreamPage {
  return (columns) => {
    const { events, cut } = readPage(columns, known);
    return { events, more: cut || events.length === limit };
  };
}

/** The columns of a page of streams, in order. */
export const streamColumns = ["stream_id", "version", "created_at", "updated_at"] as const;

/** The columns of a page of streams, each as the JSON text of an array, as in `PageColumns`. */
type StreamColumns = Readonly<Record<(typeof streamColumns)[number], string | null>>;

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

/** The columns of events that are looked up by position. */
export const probeColumns = ["position", "created_at", "type"] as const;

/** The columns of events that are looked up, each as the JSON text of an array; null where there is none. */
type ProbeColumns = Readonly<Record<(typeof probeColumns)[number], string | null>>;

/** Turns the columns into positions, times and types. */
export function readProbes(columns: ProbeColumns): readonly (ProbedEvent | undefined)[] {
  const createdAt = list<string>(columns.created_at);
  const type = list<string>(columns.type);
  return list<number | null>(columns.position).map((position, index) =>
    position === null
      ? undefined
      : { position, createdAt: instant(createdAt[index]!), type: type[index]! }
  );
}

/** Completes a UTC instant, which Postgres returns without its zone. */
function instant(text: string): string {
  return text.endsWith("Z") ? text : `${text}Z`;
}

/** Writes a list as JSON; null where there is none. */
export function json(list: readonly unknown[] | undefined): string | null {
  return list === undefined ? null : JSON.stringify(list);
}

/** Reads an array that the database wrote; empty where it aggregated nothing. */
export function list<Item>(json: string | null): readonly Item[] {
  return json === null ? [] : JSON.parse(json);
}
