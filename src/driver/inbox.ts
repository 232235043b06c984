/**
 * Marks the messages that were handled, so that none is handled twice.
 *
 * @category Drivers
 */
export interface HandledMessages {
  /**
   * Marks a message, in a transaction whose work belongs to it. While another transaction has marked the same one, it
   * waits: if that commits, the message is marked; if that rolls back, it is this transaction's.
   *
   * @returns Whether it was not marked before.
   * @throws {BusyError} If another transaction has held the message for too long.
   */
  mark(message: MessageKey): Promise<boolean>;
  /**
   * Removes marks of an inbox, of all tenants, the oldest first.
   *
   * @param age How old they are at least, in milliseconds.
   * @param limit The greatest number to remove.
   */
  clean(name: string, age: number, limit: number): Promise<void>;
}

/**
 * Which message.
 *
 * @category Drivers
 */
export interface MessageKey {
  /** The tenant that it is handled for. */
  readonly tenantId: string;
  /** The name of the inbox: several may handle the same message. */
  readonly name: string;
  /** The id that its sender gave it. */
  readonly messageId: string;
}
