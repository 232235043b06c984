import type {
  FilterMismatchError,
  HandlerTimeoutError,
  LanesMismatchError,
  LeaseLostError,
  PermanentError,
  RetryLaterError,
} from "./consumer.ts";
import type {
  BusyError,
  ConnectionError,
  DriverError,
  MissingSchemaError,
  NewerSchemaError,
  OutdatedSchemaError,
  StoreRewoundError,
  TransactionAbortedError,
  UnknownOutcomeError,
  UnsupportedError,
} from "./driver.ts";
import type {
  AggregateDiscardedError,
  ConcurrencyError,
  DuplicateEventError,
  SnapshotError,
} from "./store.ts";
import type {
  CorruptEventError,
  DuplicateEventTypeError,
  InvalidEventError,
  KeyUnavailableError,
  NewerEventError,
  UnknownEventTypeError,
} from "./event.ts";
import { brand, type EventSourceryErrorCode } from "./base.ts";

/**
 * The union of all errors of this library, discriminated by `code`.
 *
 * @category Errors
 */
export type AnyEventSourceryError =
  | AggregateDiscardedError
  | BusyError
  | ConcurrencyError
  | ConnectionError
  | CorruptEventError
  | DriverError
  | DuplicateEventError
  | DuplicateEventTypeError
  | FilterMismatchError
  | HandlerTimeoutError
  | InvalidEventError
  | KeyUnavailableError
  | LanesMismatchError
  | LeaseLostError
  | MissingSchemaError
  | NewerEventError
  | NewerSchemaError
  | OutdatedSchemaError
  | PermanentError
  | RetryLaterError
  | SnapshotError
  | StoreRewoundError
  | TransactionAbortedError
  | UnknownEventTypeError
  | UnknownOutcomeError
  | UnsupportedError;

/**
 * Reports whether a value is an error of this library, with the given code if one is given.
 *
 * Works across two copies of the package, where `instanceof` does not.
 *
 * @param error The caught value.
 * @param code The code to look for. @default any code
 * @returns `true` if it is; the compiler then narrows the value to the error class.
 * @category Errors
 */
export function isEventSourceryError<Code extends EventSourceryErrorCode = EventSourceryErrorCode>(
  error: unknown,
  code?: Code,
): error is Extract<AnyEventSourceryError, { readonly code: Code }> {
  return typeof error === "object" && error !== null && brand in error &&
    (code === undefined || "code" in error && error.code === code);
}

/** The codes of errors that no retry resolves: the consumer, or its store, has to be changed first. */
const lasting: readonly EventSourceryErrorCode[] = [
  "FILTER_MISMATCH",
  "LANES_MISMATCH",
  "MISSING_SCHEMA",
  "NEWER_SCHEMA",
  "OUTDATED_SCHEMA",
  "STORE_REWOUND",
];

/** Reports whether an error ends a consumer's run, since no retry resolves it. */
export function endsRun(error: unknown): error is AnyEventSourceryError {
  return isEventSourceryError(error) && lasting.includes(error.code);
}
