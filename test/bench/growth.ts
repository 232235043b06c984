import type { EventReader, EventWriter } from "../../mod.ts";
import { connectPostgres, openLibsql, openPostgres, type Placed, placed } from "./databases.ts";
import { compare, print, rateOfEach, times } from "./measure.ts";

const rounds = 60;
const columns = "tenant_id, stream_id, version, category, slot, id, type, schema_version, " +
  "created_at, data, metadata, published";
const data = '{"sku":"sku-1","count":1,"price":19.99,"note":"by the front door"}';
const values = (stamp: string) =>
  `'', 'order:s' || (n / 10), 1 + n % 10, 'order', n / 10 % 1024, 'id-' || n, 'Placed', 1, ${stamp}, ` +
  `'${data}', '{}'`;

/** Appends and loads in a store of many events, beside an empty one. */
export async function growth(events: number = 500_000): Promise<void> {
  await onPostgres(events);
  await onLibsql(events);
}

type Store = EventWriter<Placed> & EventReader;

async function onPostgres(events: number): Promise<void> {
  const { url, store, close } = await openPostgres();
  const large = await connectPostgres(url, { schema: "large" });
  await large.client.unsafe(
    `insert into large.events (position, ${columns}) select nextval('large.position'), ${
      values("now()")
    }, true from generate_series(1, ${events}) as n`,
  );
  await large.client.unsafe("vacuum analyze large.events");
  await measure(`growth, Postgres: ${events.toLocaleString("en")} events`, store, large.store);
  await large.close();
  await close();
}

async function onLibsql(events: number): Promise<void> {
  const empty = await openLibsql();
  const large = await openLibsql();
  await large.client.execute(
    `insert into es_events (${columns}) select ${values("'2026-01-31T12:00:00.000Z'")}, 1 from (
      with recursive counted (n) as (select 1 union all select n + 1 from counted where n < ${events})
      select n from counted
    )`,
  );
  await measure(`growth, libSQL: ${events.toLocaleString("en")} events`, empty.store, large.store);
  await large.close();
  await empty.close();
}

async function measure(title: string, empty: Store, large: Store): Promise<void> {
  let stream = 0;
  const append = (store: Store) => () =>
    rateOfEach(100, (index) => store.append(`order:${++stream}`, placed(index)));
  for (const store of [empty, large]) {
    await store.append("order:long", Array.from({ length: 100 }, (_, index) => placed(index)));
  }
  const load = (store: Store) => () => rateOfEach(50, () => store.load("order:long"));
  const sides = [
    { what: "append", of: append },
    { what: "load of 100 events", of: load },
  ];
  const lines = [];
  for (const { what, of } of sides) {
    const [small, big] = await compare([
      { name: "empty", round: of(empty) },
      { name: "large", round: of(large) },
    ], rounds);
    lines.push({
      what,
      figure: `${(1e6 / big!.rate).toFixed(0)} µs, empty ${(1e6 / small!.rate).toFixed(0)} µs`,
      ratio: times(big!.ratio),
      budget: "≤ 1.30 ×",
    });
  }
  print(title, lines);
}
