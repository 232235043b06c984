/**
 * The expected version of a stream; see `AppendOptions.expectedVersion`.
 *
 * @category Drivers
 */
export type ExpectedVersion = number | "any" | "noStream" | "streamExists";

/**
 * Whether a stream at a version (0 = no events) is as an append expects it.
 *
 * @category Drivers
 */
export function fits(expected: ExpectedVersion, version: number): boolean {
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
