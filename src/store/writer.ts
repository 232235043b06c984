import type {
  AppendOutcome,
  AppendRefused,
  AppendRequest,
  AppendStored,
  Session,
  StreamWrite,
} from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import { checkNumber, kind } from "../errors/check.ts";
import { ConcurrencyError, DuplicateEventError, type ExpectedVersion } from "../errors/event.ts";
import { DriverError } from "../errors/driver.ts";

/** Appends events: what a module asks for that only writes. */
export interface EventWriter<in E extends Event = never> {
  /**
   * Appends events to a stream: all or none, in one round trip.
   *
   * The same events (same ids) appended again to the same stream are stored once: the first result comes back and no
   * handler runs again. A conflict leaves an open transaction usable.
   *
   * @param streamId A non-empty string of at most 512 bytes.
   * @param events One event or several, in order.
   * @param options What is expected of the stream.
   * @returns The recorded events, with the version and position of the last.
   * @throws {ConcurrencyError} If the stream is not at the expected version.
   * @throws {DuplicateEventError} If an event's id is taken elsewhere.
   * @throws {UnknownEventTypeError} If the store was not made with an event's type.
   * @throws {UnknownOutcomeError} If the connection failed and the outcome is not known.
   * @throws {RangeError} If there are no events, or a name or version is out of range.
   */
  readonly append: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /** Appends events as `append` does, for the outbox too. */
  readonly publish: <A extends E>(
    streamId: string,
    events: A | readonly A[],
    options?: AppendOptions,
  ) => Promise<AppendResult<A>>;

  /**
   * Appends to several streams in one atomic step.
   *
   * @param appends At least one; each of another stream.
   * @returns A result for each, in order.
   * @throws {ConcurrencyError} If any stream is not at its expected version; nothing is stored.
   * @throws {TypeError} If a stream stands twice.
   */
  readonly appendAll: <const Appends extends readonly StreamAppend<E>[]>(
    appends: Appends,
  ) => Promise<AppendResults<Appends>>;

  /**
   * Carries the type; there is no value. TypeScript compares generic members without their constraints: by these alone,
   * a store would pass as a writer of events that it does not have.
   */
  readonly "~accepts"?: ((event: E) => void) | undefined;
}

/** What is expected of a stream that is appended to. */
export interface AppendOptions {
  /**
   * The version the stream must have: a number (`0` = it must not exist), `"noStream"`, `"streamExists"`, or `"any"`,
   * which never conflicts. @default "any"
   */
  readonly expectedVersion?: ExpectedVersion | undefined;
}

/** One stream's part of `appendAll`. */
export interface StreamAppend<E extends Event = Event> extends AppendOptions {
  /** The stream. */
  readonly streamId: string;
  /** One event or several, in order. */
  readonly events: E | readonly E[];
}

/** What `appendAll` stored, stream by stream; a stream's events were given as one, or as a list. */
export type AppendResults<Appends extends readonly StreamAppend[]> = {
  readonly [Index in keyof Appends]: AppendResult<
    | Extract<Appends[Index]["events"], Event>
    | Extract<Appends[Index]["events"], readonly Event[]>[number]
  >;
};

/** What an append stored. */
export interface AppendResult<E extends Event = Event> {
  /** The stream. */
  readonly streamId: string;
  /** The version of the last event. */
  readonly version: number;
  /** The position of the last event. */
  readonly position: number;
  /** The events as they are stored. */
  readonly events: readonly [RecordedEvent<E>, ...RecordedEvent<E>[]];
}

/**
 * Checks an expected version.
 *
 * @throws {TypeError | RangeError} If it is none.
 */
export function checkExpectedVersion(expected: unknown): asserts expected is ExpectedVersion {
  if (typeof expected === "number") return checkNumber("expectedVersion", expected);
  if (expected === "any" || expected === "noStream" || expected === "streamExists") return;
  throw new TypeError(
    'expectedVersion must be a whole number, "any", "noStream" or "streamExists", got ' +
      (typeof expected === "string" ? JSON.stringify(expected.slice(0, 40)) : kind(expected)),
  );
}

/** Where the events of a request are: stored just now, or found there from an earlier call. */
export interface Sent {
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
export async function send(session: Session<unknown>, request: AppendRequest): Promise<Sent> {
  let before: string | undefined;
  for (let unmoved = 0; unmoved < 3;) {
    const outcome: AppendOutcome = (await session.append([request]))[0]!;
    if (outcome.status === "stored") return { repeated: false, writes: outcome.writes };
    const found = findStored(request, outcome);
    if (found !== undefined) return { repeated: true, writes: found };
    for (const [index, { streamId, expectedVersion }] of request.writes.entries()) {
      const actual = outcome.versions[index]!;
      if (outcome.transactionAborted || !holds(expectedVersion, actual)) {
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

function holds(expected: ExpectedVersion, version: number): boolean {
  switch (expected) {
    case "any":
      return true;
    case "noStream":
      return version === 0;
    case "streamExists":
      return version > 0;
    default:
      return version === expected;
  }
}

/** Where the same events were stored before; undefined where none was, an error where only some were or elsewhere. */
function findStored(
  request: AppendRequest,
  { known }: AppendRefused,
): AppendStored["writes"] | undefined {
  if (known.length === 0) return undefined;
  const byId = new Map(known.map((event) => [event.id, event]));
  return request.writes.map(({ streamId, events }: StreamWrite) => {
    const first = byId.get(events[0]!.id);
    const positions = events.map(({ id }, index) => {
      const event = byId.get(id);
      if (event?.streamId !== streamId || event.version !== first!.version + index) {
        throw new DuplicateEventError(event?.id ?? known[0]!.id);
      }
      return event.position;
    });
    return { version: first!.version + events.length - 1, positions };
  });
}
