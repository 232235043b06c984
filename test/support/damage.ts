import type { Check } from "../../src/cli/verify/finding.ts";

/** Damage to a store that `verify.test.ts` has filled. */
interface Damage {
  readonly what: string;
  /** What finds it. */
  readonly check: Check;
  /** The only engine that it can happen to. @default both */
  readonly on?: "Postgres" | "libSQL";
  /** Writes the statements that do it. */
  readonly damage: (table: (name: string) => string, engine: "Postgres" | "libSQL") => string;
}

/** Changes one event of the tenant "". */
const change = (set: string, id: string = "b1") => (table: (name: string) => string): string =>
  `update ${table("events")} set ${set} where tenant_id = '' and id = '${id}'`;

/** One of each kind. */
export const damages: readonly Damage[] = [
  {
    what: "a hole in a stream's versions",
    check: "hole",
    damage: (table) => `delete from ${table("events")} where tenant_id = '' and id = 'b1'`,
  },
  { what: "a version below the first", check: "hole", damage: change("version = 0", "b2") },
  {
    what: "positions against versions",
    check: "order",
    damage: (table) =>
      [
        change("position = -position", "b1"),
        change("position = position - 1", "b2"),
        change("position = 1 - position", "b1"),
      ].map((one) => one(table)).join(";"),
  },
  { what: "a wrong category", check: "category", damage: change("category = 'wrong'") },
  { what: "a wrong slot", check: "slot", damage: change("slot = slot + 1") },
  { what: "an empty id", check: "id", damage: change("id = ''") },
  {
    what: "data that does not decode",
    check: "data",
    damage: change(`data = '{"at":"noon"}', codec = '{"/data/at":"date"}'`),
  },
  { what: "data that is no JSON", check: "data", on: "libSQL", damage: change("data = '{'") },
  { what: "metadata that is no object", check: "metadata", damage: change("metadata = '[]'") },
  {
    what: "metadata that does not decode",
    check: "data",
    damage: change(`metadata = '{"at":"noon"}', codec = '{"/metadata/at":"date"}'`),
  },
  { what: "an unknown type", check: "type", damage: change("type = 'Nobody'") },
  {
    what: "a version that is newer than the code",
    check: "newer",
    damage: change("schema_version = 9"),
  },
  {
    what: "a sealed field without its key",
    check: "sealed",
    damage: (table) => `delete from ${table("subject_keys")}`,
  },
  {
    what: "a missing tag",
    check: "tag",
    damage: (table) => `delete from ${table("event_tags")} where tag = 'customer:1'`,
  },
  {
    what: "a surplus tag",
    check: "surplus",
    damage: (table) =>
      `insert into ${
        table("event_tags")
      } (tenant_id, tag, position) select '', 'tea', position from ${
        table("events")
      } where tenant_id = '' and id = 'b1'`,
  },
  {
    what: "a checkpoint beyond the head",
    check: "checkpoint",
    damage: (table) => `update ${table("checkpoints")} set position = 1000`,
  },
  {
    what: "a parked row without a stream",
    check: "parked",
    damage: (table) => `update ${table("parked")} set stream_id = 'nobody'`,
  },
  {
    what: "a lease that nobody has taken over",
    check: "lease",
    damage: (table, engine) =>
      `update ${table("checkpoints")} set owner = 'gone', leased_until = ${
        engine === "Postgres" ? "'2020-01-01'" : "1577836800000"
      }`,
  },
  {
    what: "a sequence behind the log",
    check: "sequence",
    damage: (table, engine) =>
      engine === "Postgres"
        ? `select setval('${table("position")}', 1)`
        : `update sqlite_sequence set seq = 1 where name = '${table("events")}'`,
  },
  {
    what: "a missing index",
    check: "index",
    damage: (table) => `drop index ${table("events_type")}`,
  },
  {
    what: "a missing column",
    check: "column",
    damage: (table) => `alter table ${table("parked")} drop column fingerprint`,
  },
  { what: "a missing table", check: "table", damage: (table) => `drop table ${table("inbox")}` },
  {
    what: "a missing sequence",
    check: "sequence",
    on: "Postgres",
    damage: (table) => `drop sequence ${table("position")}`,
  },
  {
    what: "tables of a newer version",
    check: "schema",
    damage: (table) => `update ${table("migrations")} set min_reader = 99`,
  },
  {
    what: "a broken cause",
    check: "cause",
    damage: change(`metadata = '{"correlationId":"a1","causationId":"nobody"}'`, "a2"),
  },
  {
    what: "a cause that comes later",
    check: "cause",
    damage: change(`metadata = '{"correlationId":"b2","causationId":"b2"}'`),
  },
  {
    what: "a flow that is torn",
    check: "correlation",
    damage: change(`metadata = '{"correlationId":"other","causationId":"a1"}'`, "a2"),
  },
];
