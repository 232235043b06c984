import type {
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
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
    const found = findStored(request, outcome);
    if (found !== undefined) return { repeated: true, writes: found };
    for (const [index, { streamId, expectedVersion }] of request.writes.entries()) {
      const actual = outcome.versions[index]!;
      if (outcome.transactionAborted || !fits(expectedVersion, actual)) {
        const { transactionAborted } = outcome;
        throw new ConcurrencyError(streamId, expectedVersion, actual, { transactionAborted });
      }
    }
    const versions = outcome.versions.join();
    unmoved = versions === before ? unmoved + 1 : 0;
    before = versions;
  }
  const cause = new Error("no row was stored: does a trigger or an index of yours keep it out?");
  throw new DriverError("append events", { cause });
}

/** Where the same events were stored before; undefined where none was, an error where only some were or elsewhere. */
function findStored(
  request: AppendRequest,
  { existing }: AppendRefused,
): AppendStored["writes"] | undefined {
  if (existing.length === 0) return undefined;
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
