import {
  BusyError,
  ConnectionError,
  DriverError,
  isEventSourceryError,
  MissingSchemaError,
  TransactionAbortedError,
} from "../../mod.ts";
import type { Shared } from "./connection.ts";
import { rootOf } from "./failure.ts";

/**
 * Translates an error of a database client into one of this library; the library's own errors pass unchanged.
 *
 * @param action The attempted action, for the message.
 * @param bound Whether it happened inside a transaction, which most errors end.
 */
export function translate(
  error: unknown,
  action: string,
  bound: boolean,
  { classify, busyTimeout, where }: Shared,
): Error {
  if (isEventSourceryError(error)) return error;
  const { failure, reason } = classify(error);
  const cause = rootOf(error);
  switch (failure) {
    case "missing":
      return new MissingSchemaError(where, { cause });
    case "aborted":
      return new TransactionAbortedError({ cause });
    case "outrun":
    case "refused":
      return bound
        ? new TransactionAbortedError({ cause })
        : new DriverError(action, { cause, reason });
    case "raced":
    case "busy":
      return bound ? new TransactionAbortedError({ cause }) : new BusyError(busyTimeout, { cause });
    case "lost":
      return new ConnectionError({ cause, reason });
    default:
      return new DriverError(action, { cause, reason });
  }
}
