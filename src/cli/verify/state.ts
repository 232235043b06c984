import type { ConsumerKey, ExaminedState, ExaminedTables } from "../../../mod.ts";
import { type Finding, finding, streamName } from "./finding.ts";

/** How much the clocks of two hosts may differ, in milliseconds. */
const tolerated = 5000;

const restore = "Restore it from a backup, or find out what has changed the tables by hand";

/** Compares the tables with those that this version makes. */
export function* checkTables(
  { version, latest, needed, missing }: ExaminedTables,
): Iterable<Finding> {
  if (needed !== undefined && needed > latest) {
    const message = `The tables need version ${needed}, and this package knows ${latest}`;
    yield finding("error", "schema", "the tables", message, "Use a newer version of the package");
  } else if (version !== undefined && version < latest) {
    const message = `The tables are of version ${version}, and this package makes ${latest}`;
    yield finding("warning", "schema", "the tables", message, "Run event-sourcery migrate");
  }
  for (const { kind, name } of missing) {
    const advice = kind === "index"
      ? "Create it as the migration does (event-sourcery migrate --print), on a great log with create index concurrently"
      : restore;
    yield finding("error", kind, `${kind} ${name}`, "It is missing, or cannot be used", advice);
  }
}

/** What a state is compared with. */
interface Comparison {
  /** This host's time before and after the state was read, in milliseconds. */
  readonly asked: number;
  readonly answered: number;
  /** How long a transaction may be open, in milliseconds. */
  readonly patience: number;
}

/** Looks at everything but the events. */
export function* checkState(
  { head, last, settled, ahead, orphans, leases, writer, now, role }: ExaminedState,
  { asked, answered, patience }: Comparison,
): Iterable<Finding> {
  if (head < last) {
    const message = `The last position that was given is ${head}, and an event has ${last}`;
    const advice =
      "Stop the writers and call driver.repairPosition(): what is appended now is never seen by consumers";
    yield finding("error", "sequence", "the positions", message, advice);
  }
  for (const { lane, position, ...key } of ahead) {
    const where = lane === undefined ? consumerName(key) : `${consumerName(key)}, lane ${lane}`;
    const message = `Its position ${position} is beyond the end of the log, ${
      Math.max(head, last)
    }: it misses what is appended up to there`;
    const advice =
      "After a restore, call driver.repairPosition(); or rebuild the consumer, or remove it by forgetConsumer()";
    yield finding("error", "checkpoint", where, message, advice);
  }
  for (const orphan of orphans) {
    const where = `${consumerName(orphan)}, ${streamName(orphan)}`;
    const message = "It is parked, and has no event";
    const advice = `Discard it: event-sourcery discard ${orphan.name} ${orphan.streamId}`;
    yield finding("error", "parked", where, message, advice);
  }
  for (const { lane, leasedUntil, ...key } of leases) {
    const message = `Nobody has run it since its lease ended at ${
      new Date(leasedUntil).toISOString()
    }`;
    const advice = "Start it, or remove it by forgetConsumer() if it is no longer in use";
    yield finding("warning", "lease", `${consumerName(key)}, lane ${lane}`, message, advice);
  }
  if (settled < head && writer !== undefined) {
    const open = writer.since === undefined ? undefined : now - writer.since;
    const message = `The log is settled up to ${settled} of ${head}: consumers wait for ${
      open === undefined ? "it" : `it, which is open for ${Math.round(open / 1000)} s`
    }`;
    if (open === undefined) {
      const advice = "Grant pg_read_all_stats to this role, to see for how long it is open";
      yield finding("skipped", "transaction", writer.name, message, advice);
    } else if (open >= patience) {
      const advice = "Commit or end it, and set idle_in_transaction_session_timeout";
      yield finding("warning", "transaction", writer.name, message, advice);
    }
  }
  const difference = now - (asked + answered) / 2;
  if (Math.abs(difference) > tolerated + (answered - asked) / 2) {
    const message = `It differs by ${Math.round(difference / 1000)} s from the database's`;
    yield finding("warning", "clock", "the clock of this host", message, "Run NTP on both hosts");
  }
  if (role !== undefined && role.may.length > 0) {
    const message = `It may ${role.may.join(", ")} events that are stored`;
    const advice = role.revoke === undefined
      ? "It is a superuser: let the application use a role of its own"
      : `${role.revoke}; without delete, store.delete() fails`;
    yield finding("warning", "role", `role ${JSON.stringify(role.name)}`, message, advice);
  }
}

function consumerName({ scope, name, version }: ConsumerKey): string {
  const consumer = `consumer ${JSON.stringify(name)} version ${version}`;
  return scope === "all" ? consumer : `${consumer} (${scope})`;
}
