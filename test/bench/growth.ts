import type { EventReader, EventWriter } from "../../mod.ts";
import { connectPostgres, openLibsql, openPostgres, type Placed, placed } from "./databases.ts";
import type { Figure } from "./figures.ts";
import { takeTurns } from "./turns.ts";

const columns = "tenant_id, stream_id, version, category, slot, id, type, schema_version, " +
  "created_at, data, metadata, tags, published";
const data = '{"sku":"sku-1","count":1,"price":19.99,"note":"by the front door"}';
const tags = (n: string) => `'["order:' || ${n} / 100 || '","region:' || ${n} % 2 || '"]'`;
const values = (stamp: string) =>
  `'', 'order:s' || (n / 10), 1 + n % 10, 'order', n / 10 % 1024, 'id-' || n, 'Placed', 1, ${stamp}, ` +
  `'${data}', '{}'`;

type Store = EventWriter<Placed> & EventReader;

/** Appends, loads and asks for tags in a store of many events, beside one that holds only what is asked for. */
export async function growth(events: number, where: string, rounds: number): Promise<Figure[]> {
  return [...await onPostgres(events, where, rounds), ...await onLibsql(events, rounds)];
}

async function onPostgres(events: number, where: string, rounds: number): Promise<Figure[]> {
  const { url, store, close } = await openPostgres();
  const large = await connectPostgres(url, { schema: "large" });
  const run = (text: string) => large.client.unsafe<{ name: string }[]>(text);
  await run(
    `insert into large.events (position, ${columns}) select nextval('large.position'), ${
      values("now()")
    }, (${tags("n")})::json, true from generate_series(1, ${events}) as n`,
  );
  const named = await run(
    "select column_name as name from information_schema.columns where table_schema = 'large' and table_name = 'event_tags'",
  );
  await run(fillTags("large.events", "large.event_tags", named));
  await run("vacuum analyze large.events, large.event_tags");
  const figures = await measure(events, where, rounds, store, large.store);
  await large.close();
  await close();
  return figures;
}

async function onLibsql(events: number, rounds: number): Promise<Figure[]> {
  const empty = await openLibsql();
  const large = await openLibsql();
  const numbers =
    `with recursive counted (n) as (select 1 union all select n + 1 from counted where n < ${events})
      select n from counted`;
  await large.client.execute(
    `insert into es_events (${columns}) select ${values("'2026-01-31T12:00:00.000Z'")}, ${
      tags("n")
    }, 1 from (${numbers})`,
  );
  const { rows } = await large.client.execute(
    "select name from pragma_table_info('es_event_tags')",
  );
  const named = rows.map(({ name }) => ({ name: String(name) }));
  await large.client.execute(fillTags("es_events", "es_event_tags", named));
  const figures = await measure(events, "libSQL, a file", rounds, empty.store, large.store);
  await large.close();
  await empty.close();
  return figures;
}

/** The statement that lists the tags of numbered events; by tenant where the table begins with it. */
function fillTags(
  events: string,
  table: string,
  columns: readonly { readonly name: string }[],
): string {
  const tenant = columns.some(({ name }) => name === "tenant_id") ? "tenant_id, " : "";
  const number = "cast(substr(id, 4) as integer)";
  return `insert into ${table} (${tenant}tag, position)
    select ${tenant}'order:' || (${number} / 100), position from ${events} where id like 'id-%'
    union all select ${tenant}'region:' || (${number} % 2), position from ${events} where id like 'id-%'`;
}

async function measure(
  events: number,
  where: string,
  rounds: number,
  empty: Store,
  large: Store,
): Promise<Figure[]> {
  let stream = 0;
  for (const store of [empty, large]) {
    await store.append("order:long", Array.from({ length: 100 }, (_, index) => placed(index)));
    await store.append(
      "order:tagged",
      Array.from({ length: 100 }, (_, index) => placed(index, ["customer:1", "region:1"])),
    );
  }
  const subjects = [
    {
      subject: "growth-append",
      title: "append",
      times: 100,
      work: (store: Store) =>
        store.append(`order:${++stream}`, placed(1, ["customer:2", "region:0"])),
    },
    {
      subject: "growth-load",
      title: "load of 100 events",
      times: 50,
      work: (store: Store) => store.load("order:long"),
    },
    {
      subject: "growth-tags",
      title: "query by two tags, 100 events of each half of the log",
      times: 20,
      async work(store: Store) {
        let found = 0;
        for await (const _ of store.readAll({ tags: ["customer:1", "region:1"] })) found++;
        if (found !== 100) throw new Error(`A query by tags found ${found} events, not 100`);
      },
    },
  ];
  const name = `${events.toLocaleString("en")} events`;
  const figures: Figure[] = [];
  for (const { subject, title, times, work } of subjects) {
    const what = { subject, title: `${title} among ${name}`, where, rounds };
    figures.push(
      await takeTurns(what, [
        { name, times, work: () => work(large) },
        { name: "empty", times, work: () => work(empty) },
      ]),
    );
  }
  return figures;
}
