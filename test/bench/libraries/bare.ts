import { randomUUID } from "node:crypto";
import { type Library, type Order, order, type Place } from "../library.ts";

const columns = "tenant_id, stream_id, version, category, slot, id, type, schema_version, " +
  "created_at, data, metadata, published";

/** The values of a row, all that our tables ask for. */
function row(stream: string, count: number): (string | number)[] {
  const id = randomUUID();
  const [data, metadata] = [JSON.stringify(order(count)), JSON.stringify({ correlationId: id })];
  const at = new Date().toISOString();
  return ["", stream, count + 1, "order", 7, id, "Placed", 1, at, data, metadata, 0];
}

/** Statements through the client alone, on a table with our columns and indexes: what any library can at most reach. */
export async function open(place: Place): Promise<Library> {
  return place.kind === "file" || place.kind === "sqld"
    ? await onLibsql(place)
    : await onPostgres(place);
}

async function onPostgres({ url }: Place): Promise<Library> {
  const { default: connect } = await import("postgres");
  const client = connect(url, { max: 10, onnotice: () => {} });
  const insert = `insert into bare (position, ${columns}) values (nextval('bare_position'), ` +
    "$1, $2, $3, $4, $5, $6, $7, $8, $9, $10::text::json, $11::text::json, $12::int::boolean)";
  const select = "select position, stream_id, version, id, type, created_at, data::text as data, " +
    "metadata::text as metadata from bare where ";
  const run = (text: string, values: unknown[]) =>
    client.unsafe(text, values as string[], { prepare: true });
  return libraryOn({
    async migrate() {
      const { drizzle } = await import("drizzle-orm/postgres-js");
      const { postgres } = await import("../../../drivers/postgres/mod.ts");
      await postgres(drizzle(client)).migrate();
      await client.unsafe(
        "create table if not exists bare (like event_sourcery.events including all)",
      );
      await client.unsafe("create sequence if not exists bare_position");
    },
    insert: (stream, count) => run(insert, row(stream, count)),
    fill: (rows) =>
      // on one connection, so in order
      client.begin((tx) =>
        Promise.all(rows.map((values) => tx.unsafe(insert, values as string[], { prepare: true })))
      ),
    load: (stream) => run(`${select} tenant_id = '' and stream_id = $1 order by version`, [stream]),
    page: (after) => run(`${select} position > $1 order by position limit 1000`, [after]),
    close: () => client.end({ timeout: 1 }),
  });
}

async function onLibsql({ url }: Place): Promise<Library> {
  const { createClient } = await import("@libsql/client");
  const client = createClient({ url });
  const insert = `insert into bare (${columns}) values (${
    columns.split(",").map(() => "?").join()
  })`;
  const select =
    "select position, stream_id, version, id, type, created_at, data, metadata from bare where ";
  const run = async (sql: string, args: (string | number)[]) =>
    (await client.execute({ sql, args })).rows;
  return libraryOn({
    async migrate() {
      const { drizzle } = await import("drizzle-orm/libsql");
      const { libsql } = await import("../../../drivers/libsql/mod.ts");
      await libsql(drizzle(client)).migrate();
      const made = await client.execute(
        "select sql from sqlite_master where sql like '%es_events%'",
      );
      for (const { sql } of made.rows) {
        const text = String(sql).replaceAll("es_events", "bare");
        await client.execute(
          text.replace(/^create (table|index|unique index) /i, "create $1 if not exists "),
        );
      }
    },
    async insert(stream, count) {
      while (true) {
        try {
          return await run(insert, row(stream, count));
        } catch (error) {
          if (!/SQLITE_BUSY/.test(String(error))) throw error; // what writes at the same time is refused
        }
      }
    },
    fill: (rows) => client.batch(rows.map((args) => ({ sql: insert, args })), "write"),
    load: (stream) => run(`${select} tenant_id = '' and stream_id = ? order by version`, [stream]),
    page: (after) => run(`${select} position > ? order by position limit 1000`, [after]),
    close: () => Promise.resolve(client.close()),
  });
}

type Rows = readonly Readonly<Record<string, unknown>>[];

function libraryOn({ migrate, insert, fill, load, page, close }: {
  readonly migrate: () => Promise<void>;
  readonly insert: (stream: string, count: number) => PromiseLike<unknown>;
  /** Inserts many rows that are not measured. */
  readonly fill: (rows: (string | number)[][]) => Promise<unknown>;
  readonly load: (stream: string) => PromiseLike<Rows>;
  readonly page: (after: number) => PromiseLike<Rows>;
  readonly close: () => Promise<unknown>;
}): Library {
  const parse = (found: Rows) =>
    found.map((row) => {
      JSON.parse(String(row["metadata"]));
      return JSON.parse(String(row["data"])) as Order;
    });
  return {
    migrate,
    append: (stream, from, count) =>
      count === 1
        ? Promise.resolve(insert(stream, from))
        : fill(Array.from({ length: count }, (_, n) => row(stream, from + n))),
    load: async (stream) => parse(await load(stream)),
    async command(stream) {
      while (true) {
        const { length } = parse(await load(stream));
        try {
          return await insert(stream, length);
        } catch (error) {
          if (!/unique|duplicate/i.test(String(error))) throw error;
        }
      }
    },
    async consume(handle) {
      for (let after = 0;;) {
        const found = await page(after);
        if (found.length === 0) return;
        parse(found).forEach((data, index) => handle(String(found[index]!["stream_id"]), data));
        after = Number(found.at(-1)!["position"]);
      }
    },
    close,
  };
}
