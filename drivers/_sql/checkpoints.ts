import type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerFailure,
  ConsumerKey,
  ConsumerState,
  LaneFilter,
  LaneKey,
  LaneState,
  ParkedEntry,
  ParkedQuery,
  Progress,
  StoredGroup,
  StoredParking,
  StreamKey,
} from "../../mod.ts";
import { longest } from "../_shared/queue.ts";
import {
  consumerOf,
  type ConsumerRow,
  definitionOf,
  type DefinitionRow,
  groupOf,
  type GroupRow,
  laneOf,
  type LaneRow,
  type ParkedRow,
  parkingOf,
} from "./kept/consumer.ts";
import { flag, number } from "./row.ts";
import type { CheckpointStatements, Statement } from "./statement.ts";

/** How checkpoints run their statements, with a JSON object as the parameter. */
interface RunCheckpoints {
  /** Runs a statement that reads; returns its rows. */
  readonly read: <Row>(
    action: string,
    statement: Statement,
    value: object,
  ) => Promise<readonly Row[]>;
  /** Runs statements that write, all of which take effect or none; returns the rows of the first. */
  readonly write: <Row>(
    action: string,
    statements: readonly Statement[],
    value: object,
  ) => Promise<readonly Row[]>;
}

/**
 * How early parked streams count as due, in milliseconds: the clocks of a machine's processors were seen to differ by
 * one, so that a stream that was to be due immediately was not yet due for the query that followed.
 */
export const skew = 5;

/** Before all streams, since no stream id is empty. */
const emptyKey: StreamKey = { tenantId: "", streamId: "" };

/** The checkpoints of both engines, which differ in their statements only. */
export class SqlCheckpoints implements Checkpoints {
  readonly #statements: CheckpointStatements;
  readonly #run: RunCheckpoints;

  constructor(statements: CheckpointStatements, run: RunCheckpoints) {
    this.#statements = statements;
    this.#run = run;
  }

  async register(
    key: ConsumerKey,
    definition: ConsumerDefinition,
  ): Promise<ConsumerDefinition> {
    const value = { ...key, ...definition, replay: definition.replay ?? 0 };
    const action = "register a consumer";
    const { register, definition: known } = this.#statements;
    while (true) {
      const [found] = await this.#run.read<DefinitionRow>(action, known, value);
      if (found !== undefined) return definitionOf(found);
      // If another worker registers it at the same time, the next query finds its row.
      await this.#run.write(action, register, value);
    }
  }

  async claim(key: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined> {
    const [row] = await this.#run.write<Record<keyof ClaimedLane, string>>(
      "claim a consumer's lane",
      [this.#statements.claim],
      { ...key, owner, lease },
    );
    return row && {
      position: number(row.position),
      epoch: number(row.epoch),
      crashes: number(row.crashes),
      parked: number(row.parked),
      failed: flag(row.failed),
    };
  }

  async check(key: LaneKey, epoch: number, limit: number): Promise<boolean> {
    const statement = this.#statements.check;
    const value = { ...key, epoch, limit: Math.min(Math.ceil(limit), longest) };
    return (await this.#run.read("check a consumer's lease", statement, value)).length > 0;
  }

  async advance(key: LaneKey, epoch: number, progress: Progress): Promise<boolean> {
    const { parked, deferred, released } = progress;
    const plain = parked.length === 0 && deferred.length === 0 && released.length === 0;
    const rows = await this.#run.write(
      "write a consumer's checkpoint",
      plain ? [this.#statements.advance] : this.#statements.park,
      { ...key, epoch, ...progress, parked: parked.map(quoted), lease: progress.lease ?? null },
    );
    return rows.length > 0;
  }

  async lanes(key: ConsumerKey): Promise<readonly LaneState[]> {
    const statement = this.#statements.lanes;
    return (await this.#run.read<LaneRow>("read a consumer's checkpoints", statement, key))
      .map(laneOf);
  }

  async parked(key: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]> {
    const rows = await this.#run.read<ParkedRow>(
      "list parked streams",
      this.#statements.parked,
      { ...key, filter: lane ?? null },
    );
    return rows.map(parkingOf);
  }

  async parkedPage(
    { consumer, after = emptyKey, limit }: ParkedQuery,
  ): Promise<readonly StoredParking[]> {
    const statement = this.#statements.parkedPage;
    const value = { ...consumer, after, limit };
    return (await this.#run.read<ParkedRow>("list parked streams", statement, value))
      .map(parkingOf);
  }

  async parkedGroups(key: ConsumerKey, limit: number): Promise<readonly StoredGroup[]> {
    const statement = this.#statements.parkedGroups;
    const value = { ...key, limit };
    const rows = await this.#run.read<GroupRow>("group parked streams", statement, value);
    return rows.map(groupOf);
  }

  async redriveGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    const value = { ...key, fingerprint, limit };
    const statements = [this.#statements.redriveGroup];
    return (await this.#run.write("redrive parked streams", statements, value)).length;
  }

  async discardGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    const value = { ...key, fingerprint, limit };
    const statements = [this.#statements.discardGroup];
    return (await this.#run.write("discard events", statements, value)).length;
  }

  async redrive(key: ConsumerKey, stream?: StreamKey): Promise<number> {
    const value = { ...key, stream: stream ?? null };
    const statements = [this.#statements.redrive];
    return (await this.#run.write("redrive parked streams", statements, value)).length;
  }

  async discard(key: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean> {
    const value = { ...key, stream, all };
    const statements = [this.#statements.discard];
    return (await this.#run.write("discard an event", statements, value)).length > 0;
  }

  async rewind(key: ConsumerKey, position: number, replay: number | null = null): Promise<void> {
    const value = { ...key, position, replay };
    await this.#run.write("rewind a consumer", this.#statements.rewind, value);
  }

  async redefine(
    key: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean> {
    const value = { ...key, ...definition, epochs };
    const rows = await this.#run.write("redefine a consumer", this.#statements.redefine, value);
    return rows.length > 0;
  }

  async refilter(key: ConsumerKey, filter: string): Promise<boolean> {
    const statements = [this.#statements.refilter];
    const value = { ...key, filter };
    return (await this.#run.write("redefine a consumer", statements, value)).length > 0;
  }

  async due(seen: readonly ConsumerKey[] = []): Promise<readonly ConsumerKey[]> {
    const { due, dueAndSeen } = this.#statements;
    const action = "look for due work";
    type Row = Record<keyof ConsumerKey, string>;
    const rows = seen.length === 0
      ? await this.#run.read<Row>(action, due, {})
      : await this.#run.write<Row>(action, dueAndSeen, { seen });
    return rows.map(({ scope, name, version }) => ({ scope, name, version: number(version) }));
  }

  async setFailure(key: ConsumerKey, failure: ConsumerFailure | undefined): Promise<void> {
    const value = { ...key, code: failure?.code ?? null, error: failure && ascii(failure.message) };
    await this.#run.write("store a consumer's error", [this.#statements.setFailure], value);
  }

  async list(only: Partial<ConsumerKey> = {}): Promise<readonly ConsumerState[]> {
    const { scope = null, name = null, version = null } = only;
    const rows = await this.#run.read<ConsumerRow>(
      "list consumers",
      this.#statements.list,
      { scope, name, version },
    );
    return rows.map(consumerOf);
  }

  async forget(key: ConsumerKey): Promise<"forgotten" | "leased" | "unknown"> {
    const rows = await this.#run.write("forget a consumer", this.#statements.forget, key);
    if (rows.length > 0) return "forgotten";
    return (await this.lanes(key)).length > 0 ? "leased" : "unknown";
  }
}

/** Returns an entry with its error as a JSON text in ASCII. */
function quoted({ error, ...entry }: ParkedEntry): ParkedEntry {
  return { ...entry, error: error === undefined ? error : ascii(error) };
}

/**
 * Returns a text as JSON in ASCII. A handler's error may hold characters that the database's encoding lacks, so that
 * every write of it would be refused, and the event never parked: the statement decodes as much as it can.
 */
function ascii(text: string): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, escape);
}
