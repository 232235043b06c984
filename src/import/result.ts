/**
 * Result of an import.
 *
 * @category Import
 */
export interface ImportResult {
  /** The number of events that were stored. */
  readonly imported: number;
  /** The number of events that were stored before, by an earlier run. */
  readonly known: number;
  /** The highest position of any of them; 0 if the source was empty. */
  readonly position: number;
}
