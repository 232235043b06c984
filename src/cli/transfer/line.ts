import type { NewEvent, StoredEvent } from "../../../mod.ts";
import { checkList, checkName, checkNumber, unsafe } from "../../errors/check.ts";

/** An event of a file, with its stream and version. */
export interface FileEvent {
  readonly tenantId: string;
  readonly streamId: string;
  readonly version: number;
  readonly event: NewEvent;
}

/** A line of a file that cannot be imported. */
export class LineError extends Error {
  /** The number of the line, from 1. */
  readonly line: number;

  /** @param reason Says what is wrong, without data. */
  constructor(line: number, reason: string, options?: ErrorOptions) {
    super(`Line ${line}: ${reason}`, options);
    this.name = "LineError";
    this.line = line;
  }
}

/** Writes an event as a line of JSON that holds all that is stored of it. */
export function lineOf(event: StoredEvent): string {
  const { position, tenantId, streamId, version, id, type, schemaVersion, data } = event;
  return JSON.stringify({
    ...{ position, tenantId, streamId, version, id, type, schemaVersion },
    createdAt: new Date(event.createdAt).toISOString(),
    ...{ data, metadata: event.metadata, codec: event.codec, tags: event.tags },
    ...{ published: event.published, imported: event.imported ?? false },
  });
}

/** Reads a line that `lineOf` wrote. @throws {LineError} If it is not one. */
export function readLine(text: string, line: number): FileEvent {
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch {
    throw new LineError(line, "it is not JSON"); // the parser's own message would quote the text
  }
  if (!isRecord(found)) throw new LineError(line, "it is no JSON object");
  if ("specversion" in found) {
    throw new LineError(line, "it is a CloudEvent: export with --format ndjson to import");
  }
  try {
    return readFields(found);
  } catch (error) {
    if (error instanceof TypeError || error instanceof RangeError) {
      throw new LineError(line, error.message);
    }
    throw error;
  }
}

function readFields(found: Readonly<Record<string, unknown>>): FileEvent {
  const { tenantId = "", streamId, version, id, type, schemaVersion, createdAt } = found;
  const { data, metadata, codec = null, tags = [], published } = found;
  if (tenantId !== "") checkName("tenantId", tenantId);
  checkName("streamId", streamId);
  checkName("id", id);
  checkName("type", type);
  checkNumber("version", version, 1);
  checkNumber("schemaVersion", schemaVersion, 1);
  checkList("tags", tags);
  if (typeof published !== "boolean") throw new TypeError("published must be true or false");
  const instant = new Date(typeof createdAt === "string" ? createdAt : NaN);
  if (Number.isNaN(instant.getTime())) throw new TypeError("createdAt must be an instant in ISO");
  if (!isRecord(metadata)) throw new TypeError("metadata must be an object");
  if (codec !== null && !isRecord(codec)) throw new TypeError("codec must be an object or null");
  // The codec notes JSON's null, so that a driver need not tell it from an event without data.
  const none = data === undefined || (data === null && codec?.["/data"] !== "null");
  return {
    tenantId,
    streamId,
    version,
    event: {
      ...{ id, type, schemaVersion, createdAt: instant.toISOString() },
      data: none ? null : textOf("data", data),
      metadata: textOf("metadata", metadata),
      codec: codec === null ? null : textOf("codec", codec),
      ...{ tags: tags as readonly string[], published },
    },
  };
}

/** Matches the escapes of what SQL cannot hold; also where a text quotes one. */
const escapes = /\\u(?:0000|d[89a-f])/;

function textOf(name: string, value: unknown): string {
  const text = JSON.stringify(value);
  if (escapes.test(text) && holdsUnsafe(value)) {
    throw new TypeError(`${name} must be well-formed Unicode without NUL, as a store writes it`);
  }
  return text;
}

function holdsUnsafe(value: unknown): boolean {
  if (typeof value === "string") return unsafe.test(value);
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(value).some(([key, item]) => unsafe.test(key) || holdsUnsafe(item));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
