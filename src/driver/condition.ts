/**
 * One alternative of a query: events of any of the types that carry all of the tags.
 *
 * @category Drivers
 */
export interface MatchItem {
  /** Names of types as stored, without duplicates; at least one where given. @default every type */
  readonly types?: readonly string[] | undefined;
  /** Tags, without duplicates; at least one where given, and always where `types` is left out. @default any tags */
  readonly tags?: readonly string[] | undefined;
}

/**
 * The condition of a request: no event matches that is after a position and not among the events that were seen.
 *
 * @category Drivers
 */
export interface MatchCondition {
  /** An event matches if it matches any of these; from 1 to 16. */
  readonly items: readonly MatchItem[];
  /** Matches at or below this position are allowed. */
  readonly after: number;
  /** The positions of the matches above it that are allowed. */
  readonly seen: readonly number[];
}
