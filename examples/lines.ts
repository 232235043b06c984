import type * as d from "event-sourcery";
import { fits, UnsupportedError } from "event-sourcery";
import { Buffer } from "node:buffer";
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";

/** A row of the file: a stored event, its JSON not yet parsed. */
interface Row extends d.ExistingEvent, d.NewEvent {
  readonly tenantId: string;
  readonly category: string;
}

/**
 * Stores events in a file of JSON lines, for one process. A request is one line, so that it is stored completely or
 * not at all. Reading scans every row.
 */
export class Lines implements d.Driver<undefined> {
  readonly capabilities = { transactions: false };
  readonly db = undefined;
  readonly #path: string;
  #rows: readonly Row[] = [];
  #position = 0;

  constructor(path: string) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    if (whole !== text) writeFileSync(path, whole); // a crash left half a line, which was never acknowledged
    for (const line of whole.split("\n").filter(Boolean)) this.#apply(JSON.parse(line));
  }

  async append(requests: readonly d.AppendRequest[]): Promise<readonly d.AppendOutcome[]> {
    return requests.map(({ tenantId, writes }) => {
      const versions = writes.map(({ streamId }) => this.#stream(tenantId, streamId).length);
      const ids = new Set(writes.flatMap(({ events }) => events.map(({ id }) => id)));
      const existing = this.#rows.filter((row) => row.tenantId === tenantId && ids.has(row.id));
      const refused = (conflict: d.AppendConflict): d.AppendOutcome => ({
        status: "refused",
        conflict,
        transactionAborted: false,
      });
      if (existing.length > 0) return refused({ kind: "id", existing });
      if (!writes.every(({ expectedVersion }, i) => fits(expectedVersion, versions[i]!))) {
        return refused({ kind: "version", versions });
      }
      let position = this.#position;
      const rows = writes.map(({ streamId, category, events }, i) => {
        let version = versions[i]!;
        const place = () => ({ version: ++version, position: ++position });
        return events.map((event): Row => ({ ...event, tenantId, streamId, category, ...place() }));
      });
      this.#write(rows.flat());
      return {
        status: "stored",
        writes: rows.map((own) => ({
          version: own.at(-1)!.version,
          positions: own.map(({ position }) => position),
        })),
      };
    });
  }

  async load(query: d.StreamQuery): Promise<d.StreamPage> {
    const { tenantId, streamId, from, to, limit, backwards } = query;
    const rows = this.#stream(tenantId, streamId).slice(from - 1, to);
    const events = (backwards ? rows.reverse() : rows).slice(0, limit).map(read);
    return { events, more: events.length === limit };
  }

  async scan(query: d.LogQuery): Promise<d.LogPage> {
    const { tenantId, after, until, limit, categories, types, tags } = query;
    const rows = this.#rows.filter((row) =>
      row.position > after && row.position <= until &&
      (tenantId ?? row.tenantId) === row.tenantId &&
      (categories?.includes(row.category) ?? true) && (types?.includes(row.type) ?? true) &&
      (tags?.every((tag) => row.tags.includes(tag)) ?? true)
    ).slice(0, limit);
    return { events: rows.map(read), scanned: rows.length < limit ? until : rows.at(-1)!.position };
  }

  async settled(): Promise<number> {
    return this.#position;
  }

  async streams(query: d.StreamsQuery): Promise<readonly d.StoredStream[]> {
    const { tenantId, category, after = "", limit } = query;
    const streams = new Map<string, d.StoredStream>();
    for (const row of this.#rows) {
      const { streamId, version, createdAt } = row;
      if (row.tenantId !== tenantId || (category ?? row.category) !== row.category) continue;
      const first = streams.get(streamId)?.createdAt ?? createdAt;
      streams.set(streamId, { streamId, version, createdAt: first, updatedAt: createdAt });
    }
    return [...streams.values()].filter(({ streamId }) => compare(streamId, after) > 0)
      .sort((a, b) => compare(a.streamId, b.streamId)).slice(0, limit);
  }

  async blockAppends(): Promise<void> {} // there are no transactions to block them in

  async delete(tenantId: string, streamId: string): Promise<void> {
    this.#write({ tenantId, streamId });
  }

  async transaction(): Promise<never> {
    throw new UnsupportedError("begin a transaction", "a file of lines has none");
  }

  using(): d.Session<undefined> {
    return this; // there is no transaction to join
  }

  async repairPosition(): Promise<number> {
    return this.#position;
  }

  async migrate(): Promise<void> {}

  #stream(tenantId: string, streamId: string): Row[] {
    return this.#rows.filter((row) => row.tenantId === tenantId && row.streamId === streamId);
  }

  #write(line: Line): void {
    appendFileSync(this.#path, `${JSON.stringify(line)}\n`);
    this.#apply(line);
  }

  #apply(line: Line): void {
    if ("streamId" in line) {
      this.#rows = this.#rows.filter((row) =>
        row.tenantId !== line.tenantId || row.streamId !== line.streamId
      );
    } else {
      this.#rows = [...this.#rows, ...line];
      this.#position = line.at(-1)!.position;
    }
  }
}

/** A line of the file: the rows of a request, or a deleted stream. */
type Line = readonly Row[] | { readonly tenantId: string; readonly streamId: string };

function read(row: Row): d.StoredEvent {
  const { data, metadata, codec, category: _, ...rest } = row;
  return {
    ...rest,
    data: data === null ? undefined : JSON.parse(data),
    metadata: JSON.parse(metadata),
    codec: codec === null ? null : JSON.parse(codec),
  };
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
