// Turns the tables of other event stores into a source for `importEvents`, page by page, as they were appended.
import type { Event, EventInit, ImportedEvent } from "event-sourcery";

/** Runs a query of the other database; most clients have a function like this. */
export type Query = (text: string, parameters: unknown[]) => Promise<readonly object[]>;

/** Makes today's event of stored data, for each name that the other store knows. */
export type Makers<E extends Event> = Readonly<Record<string, (data: never, init: EventInit) => E>>;

/** What a reader is told. */
export interface ReaderOptions<E extends Event> {
  readonly query: Query;
  readonly makers: Makers<E>;
  /** Continues after this row: where the last one ended. The import passes over what it knows in any case. */
  readonly after?: string;
}

/** Emmett on Postgres: `emt_messages`, of its default partition. */
export function emmett<E extends Event>(options: ReaderOptions<E>) {
  return rows<E>(
    options,
    `select global_position::text as row, stream_id, message_id as id, message_type as type, message_data as data,
  message_metadata as metadata, created as at
from emt_messages where global_position > $1::bigint and not is_archived and message_kind = 'E'
order by global_position limit 1000`,
  );
}

/** message-db: its stream `account-17` becomes `account:17`, since a category ends at the colon here. */
export function messageDb<E extends Event>(options: ReaderOptions<E>) {
  return rows<E>(
    options,
    `select global_position::text as row, regexp_replace(stream_name, '-', ':') as stream_id, id::text, type, data, metadata,
  time at time zone 'utc' as at
from message_store.messages where global_position > $1::bigint order by global_position limit 1000`,
  );
}

/** Event Sourcery for Python on Postgres: the stream's category, and its name or else its UUID. */
export function eventSourcery<E extends Event>(options: ReaderOptions<E>) {
  return rows<E>(
    options,
    `select e.id::text as row, concat_ws(':', nullif(s.category, ''), coalesce(s.name, s.uuid::text)) as stream_id,
  e.uuid::text as id, e.name as type, e.data, e.event_context as metadata, e.created_at at time zone 'utc' as at
from event_sourcery_events e join event_sourcery_streams s on s.id = e.db_stream_id
where e.id > $1::bigint order by e.id limit 1000`,
  );
}

interface Row {
  readonly row: string;
  readonly stream_id: string;
  readonly id: string;
  readonly type: string;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly at: Date | string;
}

/** Reads pages in the order of their first column, which rises within each stream. */
async function* rows<E extends Event>(
  { query, makers, after = "0" }: ReaderOptions<E>,
  text: string,
): AsyncGenerator<ImportedEvent<E>> {
  for (let page: readonly Row[]; (page = await query(text, [after]) as Row[]).length > 0;) {
    for (const { stream_id: streamId, id, type, data, metadata, at } of page) {
      const make = makers[type];
      if (make === undefined) throw new Error(`No event type was given for ${type}`);
      const init = { id, createdAt: new Date(at), metadata: idsOf(metadata ?? {}) };
      yield { streamId, event: make(data as never, init) };
    }
    after = page.at(-1)!.row;
  }
}

/** The ids that tie a flow together are named `correlation_id` in Python, and in message-db. */
function idsOf(metadata: Readonly<Record<string, unknown>>): EventInit["metadata"] {
  const { correlation_id: correlationId, causation_id: causationId, ...rest } = metadata;
  const ids = { correlationId, causationId };
  const given = Object.entries(ids).filter(([, id]) => typeof id === "string");
  return { ...rest, ...Object.fromEntries(given) };
}
