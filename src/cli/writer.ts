/**
 * Where text goes.
 *
 * @category Command line
 */
export interface Writer {
  /** Writes text; a promise resolves once there is room for more. */
  write(text: string): void | Promise<void>;
  /** Whether a person reads it in a terminal. @default false */
  readonly isTTY?: boolean | undefined;
  /** How many characters a line of the terminal holds. @default 80 */
  readonly columns?: number | undefined;
}
