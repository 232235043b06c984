/** The exit codes of the command line. */
export const exit = {
  done: 0,
  failed: 1,
  usage: 2,
  unreachable: 3,
  nothing: 4,
  pending: 5,
  interrupted: 130,
} as const;

/** An exit code. */
export type ExitCode = (typeof exit)[keyof typeof exit];

/** Ends a command with a message on stderr, and an exit code. */
export class Stop extends Error {
  /** The exit code. */
  readonly code: ExitCode;

  /** @param message Says what was wrong, and what to do. */
  constructor(code: ExitCode, message: string) {
    super(message);
    this.code = code;
  }
}
