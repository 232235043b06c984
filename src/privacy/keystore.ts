/**
 * Keeps the keys of subjects outside of the store's database, such as in one with short backups.
 *
 * @category Privacy
 */
export interface KeyStore {
  /**
   * Returns the keys of subjects, one each; makes those that are missing, however many processes ask at once. A subject
   * that was forgotten never gets another.
   */
  current(tenantId: string, subjects: readonly string[]): Promise<readonly SubjectKey[]>;
  /** Returns the keys with these ids that it knows, those of forgotten subjects, too. */
  find(ids: readonly string[]): Promise<readonly SubjectKey[]>;
  /** Destroys the keys of a subject for ever: says since when that is so, and how many this call destroyed. */
  forget(
    tenantId: string,
    subject: string,
  ): Promise<{ readonly at: Date; readonly keys: number }>;
  /** Returns when a subject was forgotten; undefined if it was not. */
  forgotten(tenantId: string, subject: string): Promise<Date | undefined>;
}

/**
 * The key of a subject.
 *
 * @category Privacy
 */
export interface SubjectKey {
  /** What sealed events name: unique, and never given to another key. */
  readonly id: string;
  /** The subject. */
  readonly subject: string;
  /** The 32 bytes of the key; undefined once the subject is forgotten. */
  readonly key: Uint8Array | undefined;
}
