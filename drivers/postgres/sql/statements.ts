import { firstTables } from "../../_sql/migration.ts";
import { columnsOf, type Statement, type Statements } from "../../_sql/statement.ts";
import {
  logColumns,
  matchColumns,
  probeColumns,
  streamColumns,
  streamPageColumns,
} from "../../_sql/wire.ts";
import { snapshotColumns } from "../../_sql/kept/snapshots.ts";
import { appendEvents, appendGroup, appendOne, explain } from "./append.ts";
import { checkpointsOf, poll } from "./checkpoints.ts";
import {
  concurrent,
  type Fence,
  type FenceKind,
  locks,
  probe,
  probed,
  serial,
  serialise,
  state,
  stateColumns,
} from "./fence.ts";
import { columnGuard, firstMatch, guard } from "./match.ts";
import {
  correlated,
  find,
  load,
  loadSnapshot,
  positions,
  query,
  saveSnapshot,
  scan,
  streams,
} from "./read.ts";
import { subjectsOf } from "./subjects.ts";
import { clean, mark } from "./inbox.ts";
import { scheduleOf } from "./schedule.ts";
import { literal, statement } from "./text.ts";

/** The statements of one schema, including those of Postgres alone. */
export interface PostgresStatements extends Statements {
  /** As `ConditionStatements.firstMatch`, for the shape of the items. */
  readonly firstMatch: (shape: string) => Statement;
  /** The statements that depend on the fence, for both kinds of it. */
  readonly fenced: Readonly<Record<FenceKind, FencedStatements>>;
  /** Makes the fence serial, if no position was assigned yet. */
  readonly serialise: Statement;
  /** Blocks appends until the transaction ends. */
  readonly lock: Statement;
  /** Stands for the locks of all keys: conditions and such appends wait for each other. */
  readonly lockAllKeys: Statement;
  /** The same for an append under a condition. */
  readonly lockAllKeysAlone: Statement;
  /** lock timeout in milliseconds, for the rest of the transaction. */
  readonly lockTimeout: Statement;
  /** tenant, stream. */
  readonly remove: Statement;
  /** → whether advisory locks exist and this role may take them. */
  readonly locks: Statement;
  /** → how many locks the fence shows while this statement holds one. */
  readonly probe: Statement;
  /** Records that the fence was chosen. */
  readonly probed: Statement;
  /** → the one `PostgresState`. */
  readonly state: Statement;
  /** schema → whether it is there, and a JSON array of the tables of the first migration that are. */
  readonly tables: Statement;
  /** → whether there are events. */
  readonly holdsEvents: Statement;
  /** → the name of the database. */
  readonly database: Statement;
}

/** The statements that append: as one of several in a transaction, or each in its own. */
interface AppendStatements {
  /**
   * tenant, stream, category, expectation, id, type, schema version, time, data, metadata, codec, published, slot, lock
   * timeout, key.
   */
  readonly one: Statement;
  /** As `one`, and the id that the event at the expected version must have. */
  readonly after: Statement;
  /** tenant, JSON array of events, lock timeout, array of keys → one `InsertedRow` an event. */
  readonly events: Statement;
}

/** The statements that depend on the fence. */
export interface FencedStatements {
  readonly bound: AppendStatements;
  readonly alone: AppendStatements;
  /** JSON array of events, lock timeout, array of keys → a JSON array of `GroupRow`s; null for none. */
  readonly appendGroup: Statement;
  /** As `appendGroup` in a transaction, for requests with conditions, after `lockKeys`. */
  readonly appendGroupIf: Statement;
  /**
   * As `events` in a transaction, and `MatchCondition`'s items, `after` and `seen`, after `lockKeys`; the shape is that of
   * its items.
   */
  readonly appendIf: (shape: string) => Statement;
  /** arrays of keys and of whether each is exclusive → `LockedKeys`. */
  readonly lockKeys: Statement;
  /** As `ConditionStatements.query`, for the shape of the items. */
  readonly query: (shape: string) => Statement;
  /** → whether this is a standby, and the settled position. */
  readonly settled: Statement;
  /** JSON object with `seen` → as `settled`, and `due`, a JSON array of `ConsumerKey`s, null for none. */
  readonly poll: Statement;
  /** → the head, now past the positions of all events and checkpoints. */
  readonly repair: Statement;
}

/** Writes the statements for a schema, whose name is quoted already. */
export function statementsOf(schema: string): PostgresStatements {
  return {
    fenced: {
      concurrent: fencedStatements(schema, concurrent),
      serial: fencedStatements(schema, serial),
    },
    serialise: statement(serialise(schema)),
    firstMatch: remembered((shape) => statement(firstMatch(schema, shape), ["found"])),
    explain: statement(explain(schema), columnsOf.refusal),
    load: statement(load(schema, "asc"), streamPageColumns),
    loadBackwards: statement(load(schema, "desc"), streamPageColumns),
    streams: statement(streams(schema), streamColumns),
    lock: statement(`lock table ${schema}."events" in share row exclusive mode`),
    lockAllKeys: statement(`lock table ${schema}."boundary" in share mode`),
    lockAllKeysAlone: statement(`lock table ${schema}."boundary" in share row exclusive mode`),
    lockTimeout: statement("select set_config('lock_timeout', $1::text, true)"),
    remove: statement(remove(schema)),
    locks: statement(locks, ["allowed"]),
    probe: statement(probe(schema), ["shown"]),
    probed: statement(probed(schema)),
    state: statement(state(schema), stateColumns),
    database: statement("select current_database()::text as name", ["name"]),
    tables: statement(
      `select (exists (select from pg_namespace where nspname = $1::text))::text as schema,
  (select coalesce(json_agg(tablename), '[]') from pg_tables where schemaname = $1::text and tablename in (${
        firstTables.map(literal).join(", ")
      }))::text as there`,
      ["schema", "there"],
    ),
    holdsEvents: statement(
      `select (exists (select from ${schema}."events"))::text as found`,
      ["found"],
    ),
    find: statement(find(schema), logColumns),
    correlated: statement(correlated(schema), logColumns),
    positions: statement(positions(schema), probeColumns),
    scan: (filters) => statement(scan(schema, filters), logColumns),
    checkpoints: checkpointsOf(schema),
    subjects: subjectsOf(schema),
    inbox: { mark: statement(mark(schema), ["fresh"]), clean: statement(clean(schema)) },
    schedule: scheduleOf(schema),
    snapshots: {
      load: statement(loadSnapshot(schema), snapshotColumns),
      save: [statement(saveSnapshot(schema))],
      drop: statement(
        `delete from ${schema}."snapshots" where tenant_id = $1::text and stream_id = any (array(select json_array_elements_text($2::text::json)))`,
      ),
    },
  };
}

function fencedStatements(schema: string, fence: Fence): FencedStatements {
  return {
    bound: appendStatements(schema, fence, true),
    alone: appendStatements(schema, fence, false),
    appendGroup: statement(appendGroup(schema, fence, { bound: false }), ["rows"]),
    appendGroupIf: statement(
      appendGroup(schema, fence, {
        bound: true,
        guard: columnGuard(schema, "head.cond", "head.tenant"),
      }),
      ["rows"],
    ),
    appendIf: remembered((shape) => {
      const condition = guard(schema, shape, {
        ...{ tenant: "$1::text", items: "$5", after: "$6", seen: "$7" },
      });
      const text = appendEvents(schema, fence, { bound: true, guard: condition });
      return statement(text, columnsOf.insertedAll);
    }),
    lockKeys: statement(fence.lockKeys(schema), ["isolation", "head"]),
    query: remembered((shape) =>
      statement(query(schema, shape, fence.settled(schema)), matchColumns)
    ),
    settled: statement(fence.settled(schema), ["standby", "settled"]),
    poll: statement(poll(schema, fence.settled(schema)), ["standby", "settled", "due"]),
    repair: statement(fence.repair(schema), ["head"]),
  };
}

/** Writes each text once: there are as many as kinds of queries in the program. */
function remembered(write: (shape: string) => Statement): (shape: string) => Statement {
  const written = new Map<string, Statement>();
  return (shape) => {
    const known = written.get(shape) ?? write(shape);
    written.set(shape, known);
    return known;
  };
}

function appendStatements(schema: string, fence: Fence, bound: boolean): AppendStatements {
  const one = (pinned: boolean) =>
    statement(appendOne(schema, fence, { bound, pinned }), columnsOf.inserted);
  return {
    one: one(false),
    after: one(true),
    events: statement(appendEvents(schema, fence, { bound }), columnsOf.insertedAll),
  };
}

/** Removes a stream by `events_stream`, its tags and snapshots by their primary keys, its parked entries by `parked_stream`, what waits for it by `scheduled_stream`. */
function remove(schema: string): string {
  return `with gone as (
  delete from ${schema}."events" where tenant_id = $1::text and stream_id = $2::text returning position, tags
), unkept as (
  delete from ${schema}."snapshots" where tenant_id = $1::text and stream_id = $2::text
), unscheduled as (
  delete from ${schema}."scheduled" where tenant_id = $1::text and stream_id = $2::text
), untagged as (
  delete from ${schema}."event_tags" t using gone, json_array_elements_text(gone.tags) as tag
  where t.tenant_id = $1::text and t.tag = tag and t.position = gone.position
)
delete from ${schema}."parked" where tenant_id = $1::text and stream_id = $2::text`;
}
