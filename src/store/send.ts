import type {
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  ExistingEvent,
  MatchedEvent,
  StreamWrite,
} from "../driver/append.ts";
import type { Session } from "../driver/driver.ts";
import { fits } from "../driver/version.ts";
import { DriverError } from "../errors/driver.ts";
import { ConcurrencyError, DuplicateEventError } from "../errors/store.ts";

/** The versions and positions of a request's events, whether stored now or by an earlier call. */
interface SendResult {
  /** Whether an earlier call had already stored the events. */
  readonly repeated: boolean;
  /** For each write, the version of its last event and the positions of all. */
  readonly writes: AppendStored["writes"];
}

/**
 * Finds the final outcome of a refused request. One that lost a race under `"any"` is sent again: another append
 * succeeded then, so the versions rise. If they do not, something other than a writer keeps the events out.
 *
 * @param first The outcome of its first sending.
 * @throws {ConcurrencyError} If a stream is not at its expected version, or an event matches the condition.
 * @throws {DuplicateEventError} If an id is used by another event.
 * @throws {DriverError} If the database repeatedly stores no row, without an error, while the versions stay the same.
 */
export async function resend(
  session: Session<unknown>,
  request: AppendRequest,
  first: AppendRefused,
): Promise<SendResult> {
  let outcome: AppendOutcome = first;
  let before: string | undefined;
  for (let unchanged = 0; outcome.status === "refused";) {
    const { conflict } = outcome;
    if (conflict.kind === "id") {
      return { repeated: true, writes: findStored(request, conflict.existing) };
    }
    if (conflict.kind === "version") throw concurrencyError(request, outcome, conflict.versions);
    if (conflict.kind === "condition") throw conditionError(request, outcome, conflict.match);
    const versions = conflict.versions.join();
    unchanged = versions === before ? unchanged + 1 : 0;
    if (unchanged === 3) throw keptOut();
    before = versions;
    outcome = (await session.append([request]))[0]!;
  }
  return { repeated: false, writes: outcome.writes };
}

/** Returns the error for events that are refused again and again, although no version rises. */
export function keptOut(): DriverError {
  const cause = new Error("no row was stored: does a trigger keep it out?");
  return new DriverError("append events", { cause });
}

/** Returns the error for the first stream that is not at its expected version. */
function concurrencyError(
  { writes }: AppendRequest,
  { transactionAborted }: AppendRefused,
  versions: readonly (number | undefined)[],
): ConcurrencyError {
  const found = writes.findIndex(({ expectedVersion }, index) => {
    const version = versions[index];
    return version !== undefined && !fits(expectedVersion, version);
  });
  // Where all versions fit, the event at one of them is not the expected one.
  const other = writes.findIndex(({ expectedEventId }) => expectedEventId !== undefined);
  const index = Math.max(0, found < 0 ? other : found);
  const { streamId, expectedVersion } = writes[index]!;
  return new ConcurrencyError(streamId, expectedVersion, versions[index], { transactionAborted });
}

/** Returns the error for a condition that an event matches. */
function conditionError(
  { writes }: AppendRequest,
  { transactionAborted }: AppendRefused,
  match: MatchedEvent | undefined,
): ConcurrencyError {
  const { streamId, expectedVersion } = writes[0]!;
  const condition = match &&
    { position: match.position, type: match.type, streamId: match.streamId };
  const options = { transactionAborted, condition };
  return new ConcurrencyError(streamId, expectedVersion, undefined, options);
}

/**
 * Returns the versions and positions of a request's events, which an earlier call stored.
 *
 * @throws {DuplicateEventError} If only some of them are stored, or elsewhere, or in another order.
 */
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
