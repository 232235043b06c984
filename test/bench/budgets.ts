/** What a figure is to be at least; as data, so that the report says met or missed. */
export interface Budget {
  readonly subject: string;
  /** What the description of the database begins with, and may contain. */
  readonly where: RegExp;
  /** The other side: the budget is how many times as good the first is to do. Without it, it is for the figure itself. */
  readonly beside?: string;
  /** The subject that the other side is taken from, where it is another: the figures are then compared as they are. */
  readonly of?: string;
  readonly least?: number;
  readonly most?: number;
}

const durable = /^Postgres 15.* fsync on/;
const memory = /^Postgres 18.* fsync off/;
const anyPostgres = /^Postgres/;
const file = /^libSQL, a file/;
const bare = "bare client";

/** The budgets, each of one run. */
export const budgets: readonly Budget[] = [
  { subject: "append-1", where: durable, beside: bare, least: 0.75 },
  { subject: "append-8", where: durable, beside: bare, least: 1 },
  { subject: "append-64", where: durable, beside: bare, least: 2.6 },
  { subject: "append-256", where: durable, beside: bare, least: 4 },
  { subject: "append-1", where: memory, beside: bare, least: 0.7 },
  { subject: "append-8", where: memory, beside: bare, least: 0.75 },
  { subject: "append-64", where: memory, beside: bare, least: 1.3 },
  { subject: "append-256", where: memory, beside: bare, least: 2 },
  { subject: "append-1", where: file, beside: bare, least: 0.7 },
  { subject: "append-64", where: file, beside: bare, least: 4.5 },
  { subject: "append-64", where: /^libSQL server/, beside: bare, of: "append-1", least: 15 },
  { subject: "append-made", where: /^memory/, least: 250_000 },
  { subject: "append-1", where: durable, beside: "Emmett", least: 1.8 },
  { subject: "append-8", where: durable, beside: "Emmett", least: 3 },
  { subject: "append-64", where: durable, beside: "Emmett", least: 6 },
  { subject: "load", where: anyPostgres, beside: bare, least: 0.95 },
  { subject: "load", where: file, beside: bare, least: 2.5 },
  { subject: "load", where: durable, beside: "Emmett", least: 1.5 },
  { subject: "catch-up", where: durable, beside: "Emmett", least: 50 },
  { subject: "drain", where: anyPostgres, least: 150_000 },
  // The first side is one worker: with two, it is to do at most two thirds as much.
  { subject: "drain", where: anyPostgres, beside: "event-sourcery × 2", most: 0.67 },
  { subject: "latency", where: anyPostgres, most: 10 },
  { subject: "idle", where: anyPostgres, most: 10 },
  // With a snapshot, a long stream is to cost at most 1.5 times as much as a short one.
  { subject: "states-snapshot", where: anyPostgres, beside: "10 events", least: 0.67 },
  { subject: "states-snapshot", where: file, beside: "10 events", least: 0.67 },
  { subject: "states-snapshot", where: /^memory/, beside: "10 events", least: 0.67 },
  { subject: "states-cached", where: anyPostgres, beside: "10 events", least: 0.9 },
  { subject: "states-cached", where: file, beside: "10 events", least: 0.9 },
  { subject: "growth-append", where: anyPostgres, beside: "empty", least: 0.91 },
  { subject: "growth-load", where: anyPostgres, beside: "empty", least: 0.91 },
  { subject: "growth-tags", where: anyPostgres, beside: "empty", least: 0.91 },
  { subject: "growth-append", where: file, beside: "empty", least: 0.91 },
  { subject: "growth-load", where: file, beside: "empty", least: 0.91 },
  { subject: "growth-tags", where: file, beside: "empty", least: 0.91 },
  // A condition is to halve the appends at most, and to cost in a long log what it does in a short one.
  ...["conditions-1", "conditions-8"].flatMap((subject) =>
    [anyPostgres, file, /^memory/].flatMap((where) => [
      { subject, where, beside: "without a condition", least: 0.5 },
      { subject, where, beside: "10,000 events", least: 0.9 },
    ])
  ),
];
