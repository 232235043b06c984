/** Marks a message by the primary key. One transaction writes at a time, so nothing is waited for here. */
export function mark(inbox: string): string {
  return `insert into ${inbox} (tenant_id, name, message_id) select ?1, ?2, ?3 where ?4 is not null
on conflict do nothing returning 1 as fresh`;
}

/** Removes old marks by `inbox_handled`. */
export function clean(inbox: string): string {
  return `delete from ${inbox} where rowid in (
  select rowid from ${inbox} where name = ?1 and handled_at < strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-' || (?2 / 1000.0) || ' seconds')
  order by handled_at limit cast(?3 as integer)
)`;
}
