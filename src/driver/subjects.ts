/**
 * Keeps the keys of subjects: one row a subject, for ever, so that forgetting it commutes with everything else.
 *
 * @category Drivers
 */
export interface Subjects {
  /** Returns the rows of subjects, in any order. */
  read(tenantId: string, subjects: readonly string[]): Promise<readonly StoredSubject[]>;
  /**
   * Makes the rows of subjects, inside a transaction as a part of it, and returns those that it made: who misses one reads
   * it, since somebody else was faster.
   *
   * @param rows At least one; no subject twice.
   * @throws {BusyError} If another transaction that has made one of them did not end in time.
   */
  make(tenantId: string, rows: readonly StoredSubject[]): Promise<readonly StoredSubject[]>;
  /** Returns the rows with these ids, in any order; those of other tenants and of forgotten subjects, too. */
  find(ids: readonly string[]): Promise<readonly StoredSubject[]>;
  /**
   * Removes the keys of a subject, and keeps its row; makes one where there is none, so that it never gets keys.
   *
   * @param id The id of the row that is made.
   * @param at When it is forgotten, a UTC instant; what is forgotten already keeps its time.
   * @throws {BusyError} If another transaction that has made the row did not end in time.
   */
  forget(tenantId: string, subject: string, id: string, at: string): Promise<Forgotten>;
  /** Returns when a subject was forgotten, a UTC instant; undefined if it was not. */
  forgotten(tenantId: string, subject: string): Promise<string | undefined>;
  /** Lists the rows that have keys, of all tenants, by id. */
  list(after: string | undefined, limit: number): Promise<readonly StoredSubject[]>;
  /** Replaces the keys of a row, if they are still those that were read; reports whether they were. */
  replace(id: string, before: string, keys: string): Promise<boolean>;
}

/**
 * The row of a subject.
 *
 * @category Drivers
 */
export interface StoredSubject {
  /** The subject, a string of at most 500 bytes; unique in its tenant. */
  readonly subject: string;
  /** What sealed events name; unique. */
  readonly id: string;
  /** Its keys, as they were given; null once it is forgotten. */
  readonly keys: string | null;
}

/**
 * What forgetting a subject did.
 *
 * @category Drivers
 */
export interface Forgotten {
  /** When it was forgotten, a UTC instant: now, or before. */
  readonly at: string;
  /** Whether there were keys, which are gone now. */
  readonly destroyed: boolean;
}
