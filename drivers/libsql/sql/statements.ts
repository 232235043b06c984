import { firstTables } from "../../_sql/migration.ts";
import {
  columnsOf,
  type ConditionStatements,
  type Statement,
  type Statements,
} from "../../_sql/statement.ts";
import {
  logColumns,
  matchColumns,
  probeColumns,
  streamColumns,
  streamPageColumns,
} from "../../_sql/wire.ts";
import { snapshotColumns } from "../../_sql/kept/snapshots.ts";
import { appendEvents, appendGroup, appendOne, explain, tag, tagGroup } from "./append.ts";
import { checkpointsOf } from "./checkpoints.ts";
import { firstMatch, guard } from "./match.ts";
import {
  correlated,
  find,
  load,
  loadSnapshot,
  positions,
  query,
  removeOlder,
  saveSnapshot,
  scan,
  streams,
} from "./read.ts";
import { subjectsOf } from "./subjects.ts";
import { clean, mark } from "./inbox.ts";
import { scheduleOf } from "./schedule.ts";
import { statement } from "./text.ts";

/** The statements of one prefix, including those of libSQL alone. */
export interface LibsqlStatements extends Statements {
  /**
   * tenant, stream, category, expectation, id, type, schema version, time, data, metadata, codec, published, slot → one
   * `InsertedRow`.
   */
  readonly appendOne: Statement;
  /** As `appendOne`, and the id that the event at the expected version must have. */
  readonly appendAfter: Statement;
  /** tenant, JSON array of events → one `InsertedRow` an event. */
  readonly appendEvents: Statement;
  /** JSON array of events → a JSON array, a `GroupRow`, for each event stored. */
  readonly appendGroup: Statement;
  /** As `appendGroup`, for requests of which some have a condition. */
  readonly appendGroupIf: Statement;
  /** The same parameter, right after `appendGroup`: stores the tags of what it stored. */
  readonly tagGroup: Statement;
  /** The same parameters, right after `appendEvents`: stores the tags if it stored events. */
  readonly tag: Statement;
  /** As `appendEvents`, and `MatchCondition`'s items, `after` and `seen`. */
  readonly appendIf: Statement;
  /** The same parameters, right after `appendIf`. */
  readonly tagIf: Statement;
  /** The statements of conditions; their texts are the same for all items. */
  readonly conditions: ConditionStatements;
  /** → the last assigned position. */
  readonly head: Statement;
  /** tenant, stream: removes the stream's tags. */
  readonly untag: Statement;
  /** tenant, stream: removes its events. */
  readonly remove: Statement;
  /** tenant, stream: removes its parked entries. */
  readonly unpark: Statement;
  /** tenant, stream: removes its snapshots. */
  readonly unkeep: Statement;
  /** tenant, stream: removes what is scheduled for it. */
  readonly unschedule: Statement;
  /** → a JSON array of the tables of the first migration that are there, without their prefix. */
  readonly tables: Statement;
  /** → whether there are events. */
  readonly holdsEvents: Statement;
  /** → number, name and file of the database; the file is empty for one in memory. */
  readonly database: Statement;
  /** → the one `SchemaState`. */
  readonly state: Statement;
  /** Creates the row of the last assigned position, if no event has done so yet. */
  readonly begin: Statement;
  /** → the last assigned position, now past the positions of all events and checkpoints. */
  readonly repair: Statement;
}

/** Writes the statements for a prefix. */
export function statementsOf(prefix: string): LibsqlStatements {
  const events = `"${prefix}events"`;
  const tags = `"${prefix}event_tags"`;
  const snapshots = `"${prefix}snapshots"`;
  const inbox = `"${prefix}inbox"`;
  const scheduled = `"${prefix}scheduled"`;
  const head =
    `select coalesce((select seq from sqlite_sequence where name = '${prefix}events'), 0)`;
  /** The highest position of an event (by its primary key) or a checkpoint. */
  const seen = `max(
  coalesce((select max(position) from ${events}), 0), coalesce((select max(position) from "${prefix}checkpoints"), 0)
)`;
  const condition = guard(events, tags, { tenant: "?1", items: "?3", after: "?4" }, "?5");
  const inColumn = {
    tenant: "head.tenant",
    items: "head.cond -> 'items'",
    after: "(head.cond ->> 'after')",
  };
  const queried = statement(query(events, tags, head), matchColumns);
  const first = statement(firstMatch(events, tags), ["found"]);
  return {
    appendOne: statement(appendOne(events, false), columnsOf.inserted),
    appendAfter: statement(appendOne(events, true), columnsOf.inserted),
    appendEvents: statement(appendEvents(events), columnsOf.insertedAll),
    appendGroup: statement(appendGroup(events), ["row"]),
    appendGroupIf: statement(
      appendGroup(events, guard(events, tags, inColumn, "head.cond -> 'seen'")),
      ["row"],
    ),
    tagGroup: statement(tagGroup(events, tags)),
    tag: statement(tag(events, tags)),
    appendIf: statement(appendEvents(events, condition), columnsOf.insertedAll),
    tagIf: statement(tag(events, tags, ["?3", "?4", "?5"])),
    conditions: { query: () => queried, firstMatch: () => first },
    explain: statement(explain(events), columnsOf.refusal),
    load: statement(load(events, "asc"), streamPageColumns),
    loadBackwards: statement(load(events, "desc"), streamPageColumns),
    streams: statement(streams(events), streamColumns),
    find: statement(find(events), logColumns),
    correlated: statement(correlated(events), logColumns),
    positions: statement(positions(events), probeColumns),
    scan: (filters) => statement(scan(events, tags, filters), logColumns),
    checkpoints: checkpointsOf(prefix),
    subjects: subjectsOf(prefix),
    inbox: { mark: statement(mark(inbox), ["fresh"]), clean: statement(clean(inbox)) },
    schedule: scheduleOf(scheduled),
    snapshots: {
      load: statement(loadSnapshot(events, snapshots), snapshotColumns),
      save: [
        statement(saveSnapshot(events, snapshots)),
        statement(removeOlder(snapshots)),
      ],
      drop: statement(
        `delete from ${snapshots} where tenant_id = ?1 and stream_id in (select value from json_each(?2))`,
      ),
    },
    unkeep: statement(`delete from ${snapshots} where tenant_id = ?1 and stream_id = ?2`),
    unschedule: statement(`delete from ${scheduled} where tenant_id = ?1 and stream_id = ?2`),
    head: statement(`${head} as head`, ["head"]),
    untag: statement(`delete from ${tags} where (tenant_id, tag, position) in (
  select ?1, tag.value, e.position from ${events} e, json_each(e.tags) as tag where e.tenant_id = ?1 and e.stream_id = ?2
)`),
    remove: statement(`delete from ${events} where tenant_id = ?1 and stream_id = ?2`),
    unpark: statement(`delete from "${prefix}parked" where tenant_id = ?1 and stream_id = ?2`),
    tables: statement(
      `select json_group_array(substr(name, ${prefix.length + 1})) as there from sqlite_master
where type = 'table' and name in (${firstTables.map((table) => `'${prefix}${table}'`).join(", ")})`,
      ["there"],
    ),
    holdsEvents: statement(`select exists (select 1 from ${events}) as found`, ["found"]),
    database: statement("pragma database_list", ["number", "name", "file"]),
    state: statement(
      `select max(version) as version, max(min_reader) as min_reader, max(min_writer) as min_writer,
  (${head}) as head, ${seen} as seen from "${prefix}migrations"`,
      ["version", "min_reader", "min_writer", "head", "seen"],
    ),
    begin: statement(`insert into sqlite_sequence (name, seq)
select '${prefix}events', 0 where not exists (select 1 from sqlite_sequence where name = '${prefix}events')`),
    repair: statement(
      `update sqlite_sequence set seq = max(seq, ${seen}) where name = '${prefix}events' returning seq as head`,
      ["head"],
    ),
  };
}
