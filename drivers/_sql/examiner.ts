import type {
  ExaminedEvent,
  ExaminedPage,
  ExaminedRange,
  ExaminedState,
  ExaminedTables,
  ExaminedTag,
  ExaminedTagRange,
  ExaminedTags,
  ExaminedType,
  Examiner,
} from "../../mod.ts";
import { flag, number, only } from "./row.ts";
import type { Parameter, Statement } from "./statement.ts";
import { type EventColumn, list } from "./wire.ts";

/** The columns of an event that is examined: all that it has, and what its neighbours are. */
export const examinedColumns = [
  "position",
  "tenant_id",
  "stream_id",
  "version",
  "category",
  "slot",
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
  "previous",
  "untagged",
  "cause",
] as const;

/** The columns of a page of examined events, each as the JSON text of an array. */
type ExaminedColumns = Readonly<Record<(typeof examinedColumns)[number], string | null>> & {
  readonly cut: string | null;
};

/** The statements of an examiner. They read tables that may be damaged. */
export interface ExaminerStatements {
  /** → a JSON array of `ExaminedObject`s as texts, those that are there. */
  readonly objects: Statement;
  /** → the version of the tables, and the one that is needed; null where there is none. */
  readonly versions: Statement;
  /** → the one `ExaminedState` as JSON, but for `settled`. */
  readonly state: Statement;
  /** after, until, limit → one `ExaminedColumns`. */
  readonly events: Statement;
  /** tenant, tag, position, limit → the last entry that was walked over, and the surplus ones, in JSON. */
  readonly tags: Statement;
  /** → a JSON array of `ExaminedType`s. */
  readonly types: Statement;
}

/** Something that a database must have: its kind, its name, and the table that it is missing with. */
export type ExaminedObject = readonly [
  kind: ExaminedTables["missing"][number]["kind"],
  name: string,
  table?: string,
];

/** What an examiner works with. */
interface Parts {
  readonly statements: ExaminerStatements;
  /** What must be there. */
  readonly expected: readonly ExaminedObject[];
  /** The version of the tables that this code makes. */
  readonly latest: number;
  /** Runs a statement without asking first whether the tables are usable. */
  readonly run: <Row>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[],
  ) => Promise<readonly Row[]>;
  /** Reads the settled position; undefined where it is the head. */
  readonly settled: (() => Promise<number>) | undefined;
}

/** Looks for damage in the tables of both engines. */
export class SqlExaminer implements Examiner {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  async tables(): Promise<ExaminedTables> {
    const { statements, expected, latest } = this.#parts;
    const { objects } = await this.#first<{ objects: string }>("list tables", statements.objects);
    const there = new Set(list<string>(objects));
    const missing = expected
      .filter(([kind, name, table]) =>
        !there.has(`${kind} ${name}`) && (table === undefined || there.has(`table ${table}`))
      )
      .map(([kind, name]) => ({ kind, name }));
    const versioned = !missing.some(({ kind, name }) => kind === "table" && name === "migrations");
    const found = versioned
      ? await this.#first<{ version: string | null; needed: string | null }>(
        "read the version of the tables",
        statements.versions,
      )
      : { version: null, needed: null };
    const read = (text: string | null) => text === null ? undefined : number(text);
    return { version: read(found.version), needed: read(found.needed), latest, missing };
  }

  async state(): Promise<ExaminedState> {
    const { statements, settled } = this.#parts;
    const { state } = await this.#first<{ state: string }>("examine the tables", statements.state);
    const found: ExaminedState = JSON.parse(state);
    const { writer, role } = found;
    return {
      ...found,
      // Last: what was appended before it is settled, unless its transaction or an earlier one is open.
      settled: await settled?.() ?? found.head,
      writer: writer ? { ...writer, since: writer.since ?? undefined } : undefined,
      role: role ? { ...role, revoke: role.revoke ?? undefined } : undefined,
      ahead: found.ahead.map((entry) => ({ ...entry, lane: entry.lane ?? undefined })),
    };
  }

  async events({ after, until, limit }: ExaminedRange): Promise<ExaminedPage> {
    const { events: statement } = this.#parts.statements;
    const parameters = [String(after), String(until), String(limit)];
    const row = await this.#first<ExaminedColumns>("examine events", statement, parameters);
    const events = readExamined(row);
    const cut = events.length === limit || (events.length > 0 && flag(row.cut));
    return { events, scanned: cut ? events.at(-1)!.position : until };
  }

  async tags({ after, limit }: ExaminedTagRange): Promise<ExaminedTags> {
    const { tags: statement } = this.#parts.statements;
    const { tenantId, tag, position } = after ?? { tenantId: "", tag: "", position: 0 };
    const parameters = [tenantId, tag, String(position), String(limit)];
    const row = await this.#first<{ last: string | null; surplus: string | null }>(
      "examine tags",
      statement,
      parameters,
    );
    const read = (json: string | null) =>
      list<[string, string, number]>(json).map(([tenantId, tag, position]): ExaminedTag => ({
        tenantId,
        tag,
        position,
      }));
    return { last: read(row.last)[0], surplus: read(row.surplus) };
  }

  async types(): Promise<readonly ExaminedType[]> {
    const { types: statement } = this.#parts.statements;
    return list((await this.#first<{ types: string }>("list types", statement)).types);
  }

  async #first<Row>(
    action: string,
    statement: Statement,
    parameters: readonly Parameter[] = [],
  ): Promise<Row> {
    return only(await this.#parts.run<Row>(action, statement, parameters));
  }
}

/** Turns the columns of a page into events. */
function readExamined(columns: ExaminedColumns): readonly ExaminedEvent[] {
  const read = <Value>(name: EventColumn | "category" | "slot") => list<Value>(columns[name]);
  const [position, version, slot] = [
    read<number>("position"),
    read<number>("version"),
    read<number>("slot"),
  ];
  const [tenantId, streamId, category] = [
    read<string>("tenant_id"),
    read<string>("stream_id"),
    read<string>("category"),
  ];
  const [id, type, createdAt] = [
    read<string>("id"),
    read<string>("type"),
    read<string>("created_at"),
  ];
  const schemaVersion = read<number>("schema_version");
  const [data, metadata] = [read<string | null>("data"), read<string>("metadata")];
  const [codec, tags] = [read<string | null>("codec"), read<string | null>("tags")];
  const published = read<boolean | number>("published");
  const imported = read<boolean | number>("imported");
  const previous = list<number | null>(columns.previous);
  const untagged = list<string | null>(columns.untagged);
  const cause = list<string | null>(columns.cause);
  return position.map((_, index): ExaminedEvent => {
    const [causedAt, correlationId] = list<number & string>(cause[index]!);
    return {
      position: position[index]!,
      version: version[index]!,
      tenantId: tenantId[index]!,
      streamId: streamId[index]!,
      category: category[index]!,
      slot: slot[index]!,
      id: id[index]!,
      type: type[index]!,
      schemaVersion: schemaVersion[index]!,
      createdAt: createdAt[index]!,
      data: data[index]!,
      metadata: metadata[index]!,
      codec: codec[index]!,
      tags: tags[index]!,
      published: Boolean(published[index]),
      imported: Boolean(imported[index]),
      previous: previous[index] ?? undefined,
      untagged: list<string>(untagged[index]!),
      cause: causedAt === undefined
        ? undefined
        : { position: causedAt, correlationId: correlationId ?? undefined },
    };
  });
}
