import type {
  DeliveryFailure,
  DueEvent,
  DueQuery,
  FailedEvent,
  NewScheduledEvent,
  Schedule,
} from "../../../mod.ts";
import { number } from "../row.ts";
import type { ScheduleStatements } from "../statement.ts";
import { list } from "../wire.ts";
import type { Run } from "./run.ts";

/** The columns of an event that is due; `event` is the JSON of its short members. */
export const dueColumns = ["event", "data", "metadata", "codec", "tags"] as const;

type DueRow = Readonly<Record<(typeof dueColumns)[number], string | null>>;

/** The scheduled events of a session. */
export class SqlSchedule implements Schedule {
  readonly #statements: ScheduleStatements;
  readonly #run: Run;

  constructor(statements: ScheduleStatements, run: Run) {
    this.#statements = statements;
    this.#run = run;
  }

  async add(event: NewScheduledEvent): Promise<Pick<NewScheduledEvent, "streamId" | "dueAt">> {
    const { tenantId, streamId, dueAt, id, type, schemaVersion, data, metadata, codec } = event;
    const tags = event.tags.length === 0 ? null : JSON.stringify(event.tags);
    const rows = await this.#run.write<{ kept: string }>(
      "schedule an event",
      [this.#statements.add],
      [
        ...[tenantId, id, streamId, String(dueAt), type, String(schemaVersion)],
        ...[data, metadata, codec, tags, String(event.published)],
      ],
    );
    return JSON.parse(rows[0]!.kept);
  }

  async remove(tenantId: string, id: string): Promise<boolean> {
    const { remove } = this.#statements;
    return (await this.#run.write("unschedule an event", [remove], [tenantId, id])).length > 0;
  }

  async take({ tenantId, id, limit }: DueQuery): Promise<readonly DueEvent[]> {
    const { take } = this.#statements;
    const parameters = [tenantId ?? null, id ?? null, String(limit)];
    const rows = await this.#run.write<DueRow>("take what is due", [take], parameters);
    return rows
      .map(({ event, data, metadata, codec, tags }) => ({
        ...JSON.parse(event!) as DueEvent & { readonly seq: number; readonly published: unknown },
        ...{ data, metadata: metadata!, codec, tags: list<string>(tags) },
      }))
      .sort((a, b) => a.dueAt - b.dueAt || a.seq - b.seq)
      .map(({ seq: _, published, ...event }) => ({ ...event, published: Boolean(published) }));
  }

  async fail(tenantId: string, id: string, failure: DeliveryFailure): Promise<void> {
    const { attempts, error, delay } = failure;
    await this.#run.write("record a failure", [this.#statements.fail], [
      ...[tenantId, id, String(attempts), error, delay === undefined ? null : String(delay)],
    ]);
  }

  async retry(tenantId: string, id: string): Promise<boolean> {
    const { retry } = this.#statements;
    return (await this.#run.write("retry an event", [retry], [tenantId, id])).length > 0;
  }

  async failed(tenantId: string | undefined): Promise<readonly FailedEvent[]> {
    const { failed } = this.#statements;
    const read = (row: { failed: string | null }) => list<FailedEvent>(row.failed);
    return await this.#run.read("list what has failed", failed, [tenantId ?? null], read);
  }

  async next(tenantId: string | undefined): Promise<number | undefined> {
    const { next } = this.#statements;
    return await this.#run.read(
      "read when the next event is due",
      next,
      [tenantId ?? null],
      (row: { delay: string | null }) => row.delay === null ? undefined : number(row.delay),
    );
  }

  async count(
    tenantId: string | undefined,
  ): Promise<{ readonly waiting: number; readonly failed: number }> {
    const { count } = this.#statements;
    return await this.#run.read(
      "count what is scheduled",
      count,
      [tenantId ?? null],
      (row: { waiting: string; failed: string }) => ({
        waiting: number(row.waiting),
        failed: number(row.failed),
      }),
    );
  }
}
