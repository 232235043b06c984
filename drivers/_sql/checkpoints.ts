import type {
  Checkpoints,
  ClaimedLane,
  ConsumerDefinition,
  ConsumerKey,
  LaneFilter,
  LaneKey,
  LaneState,
  ParkedEntry,
  Progress,
  StoredParking,
  StreamKey,
} from "../../mod.ts";
import { longest } from "../_shared/queue.ts";
import { flag, number } from "./row.ts";
import type { CheckpointStatements, Statement } from "./statement.ts";

/** Runs statements that take effect together, with a JSON object as their parameter; gives the rows of the first. */
type Send = <Row>(
  action: string,
  kind: "read" | "write",
  statements: readonly Statement[],
  value: object,
) => Promise<readonly Row[]>;

interface ParkedRow {
  readonly tenant_id: string;
  readonly stream_id: string;
  readonly position: string;
  readonly attempts: string;
  readonly delay: string | null;
  readonly error: string | null;
  readonly failed_at: string;
}

interface DefinitionRow {
  readonly lanes: string;
  readonly filter: string;
  readonly position: string;
}

/**
 * By how much what is parked becomes due early, in milliseconds: the clocks of a machine's processors were seen to differ
 * by one, by which what was to be due at once was not yet when it was looked for.
 */
export const skew = 5;

/** The checkpoints of both engines. */
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
    const value = { ...key, ...definition };
    const action = "register a consumer";
    const { register, definition: known } = this.#statements;
    while (true) {
      const [found] = await this.#send<DefinitionRow>(action, "read", [known], value);
      if (found !== undefined) return definitionOf(found);
      // Where another worker registers it at the same moment, the row is there when this is asked again.
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
    };
  }

  async check(key: LaneKey, epoch: number, patience: number): Promise<boolean> {
    const statements = [this.#statements.check];
    const value = { ...key, epoch, patience: Math.min(Math.ceil(patience), longest) };
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
    const rows = await this.#send<{
      lane: string;
      position: string;
      epoch: string;
      owner: string | null;
      stalled: string;
    }>("read a consumer's checkpoints", "read", [this.#statements.lanes], key);
    return rows.map(({ lane, position, epoch, owner, stalled }) => ({
      lane: number(lane),
      position: number(position),
      epoch: number(epoch),
      owner: owner ?? undefined,
      stalled: flag(stalled),
    }));
  }

  async parked(key: ConsumerKey, lane?: LaneFilter): Promise<readonly StoredParking[]> {
    const rows = await this.#send<ParkedRow>(
      "list parked streams",
      "read",
      [this.#statements.parked],
      { ...key, filter: lane ?? null },
    );
    return rows.map((row) => ({
      tenantId: row.tenant_id,
      streamId: row.stream_id,
      position: number(row.position),
      attempts: number(row.attempts),
      delay: row.delay === null ? undefined : number(row.delay),
      error: row.error ?? undefined,
      failedAt: number(row.failed_at),
    }));
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

  async rewind(key: ConsumerKey, position: number): Promise<void> {
    await this.#send("rewind a consumer", "write", this.#statements.rewind, { ...key, position });
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

  async refilter(key: ConsumerKey, filter: string): Promise<void> {
    const statements = [this.#statements.refilter];
    await this.#send("redefine a consumer", "write", statements, { ...key, filter });
  }

  async due(): Promise<readonly ConsumerKey[]> {
    const statements = [this.#statements.due];
    const rows = await this.#send<Record<keyof ConsumerKey, string>>(
      "look for due work",
      "read",
      statements,
      {},
    );
    return rows.map(({ scope, name, version }) => ({ scope, name, version: number(version) }));
  }
}

/**
 * An entry whose error is a JSON text in ASCII. What a handler throws may hold characters that the database's encoding has
 * not, so that every write of it would be refused, and the event never parked: the statement takes back as much as it can.
 */
function quoted({ error, ...entry }: ParkedEntry): ParkedEntry {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  if (error === undefined) return { ...entry, error };
  const text = JSON.stringify(error).replace(/[\u007f-\uffff]/g, escape);
  return { ...entry, error: text };
}

function definitionOf({ lanes, filter, position }: DefinitionRow): ConsumerDefinition {
  return { lanes: number(lanes), filter, position: number(position) };
}
