import type {
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  ExistingEvent,
  StreamWrite,
} from "../driver/append.ts";
import type { Session } from "../driver/driver.ts";
import { fits } from "../driver/version.ts";
import { DriverError } from "../errors/driver.ts";
import { ConcurrencyError, DuplicateEventError } from "../errors/store.ts";

/** Where the events of a request are: stored just now, or found there from an earlier call. */
interface SendResult {
  /** Whether the events were stored before this call. */
  readonly repeated: boolean;
  /** For each write, the version of its last event and the position of each. */
  readonly writes: AppendStored["writes"];
}

/**
 * Sends a request until its outcome is final. What a lost race under `"any"` refused is sent again: some other append
 * succeeded then, so the log always moves on. Where it does not, something else keeps the events out.
 *
 * @throws {ConcurrencyError} If an expectation does not hold.
 * @throws {DuplicateEventError} If an id is taken by another event.
 * @throws {DriverError} If the database keeps the events out without a reason that it tells.
 */
export async function send(session: Session<unknown>, request: AppendRequest): Promise<SendResult> {
  let before: string | undefined;
  for (let unmoved = 0; unmoved < 3;) {
    const outcome: AppendOutcome = (await session.append([request]))[0]!;
    if (outcome.status === "stored") return { repeated: false, writes: outcome.writes };
    const { conflict } = outcome;
    if (conflict.kind === "id") {
      return { repeated: true, writes: findStored(request, conflict.existing) };
    }
    if (conflict.kind === "version") throw concurrencyError(request, outcome, conflict.versions);
    const versions = conflict.versions.join();
    unmoved = versions === before ? unmoved + 1 : 0;
    before = versions;
  }
  const cause = new Error("no row was stored: does a trigger or an index of yours keep it out?");
  throw new DriverError("append events", { cause });
}

/** The first stream that is not as expected. */
function concurrencyError(
  { writes }: AppendRequest,
  { transactionAborted }: AppendRefused,
  versions: readonly (number | undefined)[],
): ConcurrencyError {
  const found = writes.findIndex(({ expectedVersion }, index) => {
    const version = versions[index];
    return version !== undefined && !fits(expectedVersion, version);
  });
  const index = Math.max(0, found);
  const { streamId, expectedVersion } = writes[index]!;
  return new ConcurrencyError(streamId, expectedVersion, versions[index], { transactionAborted });
}

/** Where the same events were stored before; an error where only some were, or elsewhere. */
function findStored(
  request: AppendRequest,
  existing: readonly ExistingEvent[],
): AppendStored["writes"] {
  const byId = new Map(existing.map((event) => [event.id, event]));
  return request.writes.map(({ streamId, events }: StreamWrite) => {
    const first = byId.get(events[0]!.id);
    const positions = events.map(({ id }, index) => {
      const event = byId.get(id);
      if (event?.streamId !== streamId || event.version !== first!.version + index) {
        throw new DuplicateEventError(event?.id ?? existing[0]!.id);
      }
      return event.position;
    });
    return { version: first!.version + events.length - 1, positions };
  });
}
