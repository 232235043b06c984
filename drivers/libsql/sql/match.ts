/** The places of a query's parameters in a statement. */
interface Places {
  /** The tenant. */
  readonly tenant: string;
  /** A JSON array of `MatchItem`s. */
  readonly items: string;
  /** A position. */
  readonly after: string;
}

/**
 * Selects the positions of the events that match any of the items: by `event_tags` for an item with tags, else by
 * `events_type`.
 *
 * An item's rarest tag drives, which is found by counting at most 200 of each: the list of a tag that all events have
 * is as long as the log. The counts are a column: in `order by`, SQLite does not find a tenant that is a column of the
 * statement around it.
 */
export function matches(events: string, tags: string, { tenant, items, after }: Places): string {
  const later = (position: string) => `${position} > cast(${after} as integer)`;
  return `select t.position
  from json_each(${items}) as item cross join ${tags} t on t.tenant_id = ${tenant} and ${
    later("t.position")
  } and t.tag = (
    select tag from (
      select asked.value as tag, (select count(*) from (
        select 1 from ${tags} where tenant_id = ${tenant} and tag = asked.value and ${
    later("position")
  } limit 200
      )) as entries from json_each(item.value, '$.tags') as asked
    ) order by entries limit 1
  )
  where (
      json_type(item.value, '$.types') is null
      or (select type from ${events} where position = t.position) in (select value from json_each(item.value, '$.types'))
    )
    and not exists (
      select 1 from json_each(item.value, '$.tags') as other
      where not exists (select 1 from ${tags} where tenant_id = ${tenant} and tag = other.value and position = t.position)
    )
  union all
  select e.position
  from json_each(${items}) as item cross join json_each(item.value, '$.types') as type
    cross join ${events} e on e.tenant_id = ${tenant} and e.type = type.value and ${
    later("e.position")
  }
  where json_type(item.value, '$.tags') is null`;
}

/**
 * Holds where no event matches that was not seen; seen is a JSON array of positions. From near the head, an append of a
 * tagged event under a condition reached 0.69 and 1.06 × the rate of a plain one in a file of 10,000 events, 0.84 and
 * 0.97 × in one of 200,000 (medians of two runs beside other work).
 */
export function guard(events: string, tags: string, places: Places, seen: string): string {
  return `not exists (
  select 1 from (${matches(events, tags, places)}) as found
  where found.position not in (select value from json_each(${seen}))
)`;
}

/** Reads the first match that was not seen. */
export function firstMatch(events: string, tags: string): string {
  const places = { tenant: "?1", items: "?2", after: "?3" };
  return `select json_array(id, stream_id, version, position, type) as found from ${events}
where position = (
  select min(found.position) from (${matches(events, tags, places)}) as found
  where found.position not in (select value from json_each(?4))
)`;
}
