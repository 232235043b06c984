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

/** Runs statements that take effect together, with a JSON object as their parameter; returns the rows of the first. */
type Send = <Row>(
  action: string,
  kind: "read" | "write",
  statements: readonly Statement[],
  value: object,
) => Promise<readonly Row[]>;

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
  readonly #send: Send;

  constructor(statements: CheckpointStatements, send: Send) {
    this.#statements = statements;
    this.#send = send;
  }

  async register(
    key: ConsumerKey,
    definition: ConsumerDefinition,
  ): Promise<ConsumerDefinition> {
    const value = { ...key, ...definition, replay: definition.replay ?? 0 };
    const action = "register a consumer";
    const { register, definition: known } = this.#statements;
    while (true) {
      const [found] = await this.#send<DefinitionRow>(action, "read", [known], value);
      if (found !== undefined) return definitionOf(found);
      // If another worker registers it at the same time, the next query finds its row.
      await this.#send(action, "write", register, value);
    }
  }

  async claim(key: LaneKey, owner: string, lease: number): Promise<ClaimedLane | undefined> {
    const [row] = await this.#send<Record<keyof ClaimedLane, string>>(
      "claim a consumer's lane",
      "write",
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
    const statements = [this.#statements.check];
    const value = { ...key, epoch, limit: Math.min(Math.ceil(limit), longest) };
    return (await this.#send("check a consumer's lease", "read", statements, value)).length > 0;
  }

  async advance(key: LaneKey, epoch: number, progress: Progress): Promise<boolean> {
    const { parked, deferred, released } = progress;
    const plain = parked.length === 0 && deferred.length === 0 && released.length === 0;
    const rows = await this.#send(
      "write a consumer's checkpoint",
      "write",
      plain ? [this.#statements.advance] : this.#statements.park,
      { ...key, epoch, ...progress, parked: parked.map(quoted), lease: progress.lease ?? null },
    );
    return rows.length > 0;
  }

  async lanes(key: ConsumerKey): Promise<readonly LaneState[]> {
    const statements = [this.#statements.lanes];
    return (await this.#send<LaneRow>("read a consumer's checkpoints", "read", statements, key))
      .map(laneOf);
  }

  async parked(key: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]> {
    const rows = await this.#send<ParkedRow>(
      "list parked streams",
      "read",
      [this.#statements.parked],
      { ...key, filter: lane ?? null },
    );
    return rows.map(parkingOf);
  }

  async parkedPage(
    { consumer, after = emptyKey, limit }: ParkedQuery,
  ): Promise<readonly StoredParking[]> {
    const statements = [this.#statements.parkedPage];
    const value = { ...consumer, after, limit };
    return (await this.#send<ParkedRow>("list parked streams", "read", statements, value))
      .map(parkingOf);
  }

  async parkedGroups(key: ConsumerKey, limit: number): Promise<readonly StoredGroup[]> {
    const statements = [this.#statements.parkedGroups];
    const value = { ...key, limit };
    const rows = await this.#send<GroupRow>("group parked streams", "read", statements, value);
    return rows.map(groupOf);
  }

  async redriveGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    const value = { ...key, fingerprint, limit };
    const statements = [this.#statements.redriveGroup];
    return (await this.#send("redrive parked streams", "write", statements, value)).length;
  }

  async discardGroup(key: ConsumerKey, fingerprint: string, limit: number): Promise<number> {
    const value = { ...key, fingerprint, limit };
    const statements = [this.#statements.discardGroup];
    return (await this.#send("discard events", "write", statements, value)).length;
  }

  async redrive(key: ConsumerKey, stream?: StreamKey): Promise<number> {
    const value = { ...key, stream: stream ?? null };
    const statements = [this.#statements.redrive];
    return (await this.#send("redrive parked streams", "write", statements, value)).length;
  }

  async discard(key: ConsumerKey, stream: StreamKey, all: boolean): Promise<boolean> {
    const value = { ...key, stream, all };
    const statements = [this.#statements.discard];
    return (await this.#send("discard an event", "write", statements, value)).length > 0;
  }

  async rewind(key: ConsumerKey, position: number, replay: number | null = null): Promise<void> {
    const value = { ...key, position, replay };
    await this.#send("rewind a consumer", "write", this.#statements.rewind, value);
  }

  async redefine(
    key: ConsumerKey,
    epochs: readonly number[],
    definition: ConsumerDefinition,
  ): Promise<boolean> {
    const value = { ...key, ...definition, epochs };
    const rows = await this.#send("redefine a consumer", "write", this.#statements.redefine, value);
    return rows.length > 0;
  }

  async refilter(key: ConsumerKey, filter: string): Promise<boolean> {
    const statements = [this.#statements.refilter];
    const value = { ...key, filter };
    return (await this.#send("redefine a consumer", "write", statements, value)).length > 0;
  }

  async due(seen: readonly ConsumerKey[] = []): Promise<readonly ConsumerKey[]> {
    const { due, dueAndSeen } = this.#statements;
    const action = "look for due work";
    type Row = Record<keyof ConsumerKey, string>;
    const rows = seen.length === 0
      ? await this.#send<Row>(action, "read", [due], {})
      : await this.#send<Row>(action, "write", dueAndSeen, { seen });
    return rows.map(({ scope, name, version }) => ({ scope, name, version: number(version) }));
  }

  async setFailure(key: ConsumerKey, failure: ConsumerFailure | undefined): Promise<void> {
    const value = { ...key, code: failure?.code ?? null, error: failure && ascii(failure.message) };
    await this.#send("store a consumer's error", "write", [this.#statements.setFailure], value);
  }

  async list(only: Partial<ConsumerKey> = {}): Promise<readonly ConsumerState[]> {
    const { scope = null, name = null, version = null } = only;
    const rows = await this.#send<ConsumerRow>(
      "list consumers",
      "read",
      [this.#statements.list],
      { scope, name, version },
    );
    return rows.map(consumerOf);
  }

  async forget(key: ConsumerKey): Promise<"forgotten" | "leased" | "unknown"> {
    const rows = await this.#send("forget a consumer", "write", this.#statements.forget, key);
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
