/** What a database error means for the statement that met it. */
export type Failure =
  /** The tables are not there. */
  | "missing"
  /** Another writer was in the way; nothing is stored, the same may succeed at once. */
  | "raced"
  /** Another writer was in the way for as long as the statement was willing to wait. */
  | "busy"
  /** The transaction around it is lost. */
  | "aborted"
  /** Of the several streams that it appends to, others were faster at one: our guard undid it. */
  | "outrun"
  /** A constraint refused it: an event's id is taken, or it is a constraint of the user's own. */
  | "refused"
  /** No answer came: whether the statement took effect is not known. */
  | "lost"
  /** The database refused it for a reason of its own. */
  | "other";

/** What an error of the database or its client means. */
export interface Classified {
  readonly failure: Failure;
  /** The database's own code, or the client's. */
  readonly code: string | undefined;
  /** What went wrong, in words that hold no data; undefined where the error has no more to it than its message. */
  readonly reason: string | undefined;
}

/**
 * The codes of a connection that failed: of a system call, of `fetch`, of TLS, of postgres.js, of Bun and of the clients
 * for libSQL. All others are a database's or a client's own.
 */
const connectionCodes = [
  /^E(?!RR_)[A-Z0-9_]+$/,
  /^UND_ERR_(SOCKET|CLOSED|DESTROYED|ABORTED|CONNECT_TIMEOUT|HEADERS_TIMEOUT|BODY_TIMEOUT|RES_CONTENT_LENGTH_MISMATCH)$/,
  /^ERR_(TLS|SSL|SOCKET)_|^ERR_STREAM_(DESTROYED|PREMATURE_CLOSE|WRITE_AFTER_END)$/,
  /CERT|^UNABLE_TO_VERIFY_LEAF_SIGNATURE$/,
  /^CONNECTION_(CLOSED|ENDED|DESTROYED)$|^CONNECT_TIMEOUT$/,
  /^ERR_POSTGRES_(CONNECTION_|TLS_|IDLE_TIMEOUT|LIFETIME_TIMEOUT)/,
  /^(HRANA_WEBSOCKET_ERROR|HRANA_CLOSED_ERROR|SERVER_ERROR|CLIENT_CLOSED|UNKNOWN)$/,
];

/** What clients say of a handle that was closed. */
const closedCodes = ["CONNECTION_ENDED", "CLIENT_CLOSED"];

/** The errors of a language, which no network throws; but `fetch` does throw one of them. */
const mistakes = ["RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"];

/**
 * Tells the end of a connection from a mistake of the program or the client, where the database gave no code. Only what
 * can come of a network is `lost`: a caller is told to send it again.
 *
 * @param fetches Whether the client sends by `fetch`, which throws a `TypeError` when a connection fails.
 */
export function classifyClient(root: unknown, fetches: boolean): Classified {
  const code = textOf(root, "code");
  if (code !== undefined) {
    const lost = connectionCodes.some((pattern) => pattern.test(code));
    return lost
      ? { failure: "lost", code, reason: closedCodes.includes(code) ? undefined : addressed(root) }
      : { failure: "other", code, reason: `the client failed with ${code}` };
  }
  const name = root instanceof Error ? root.name : "a value that is not an error";
  const lost = root instanceof Error && !mistakes.includes(name) &&
    (name !== "TypeError" || fetches);
  return lost
    ? { failure: "lost", code, reason: undefined }
    : { failure: "other", code, reason: `the client failed with ${name}` };
}

/** The code of a failed connection, and where it was to go: `ECONNREFUSED 127.0.0.1:5433`. */
function addressed(error: unknown): string {
  const errors: unknown = Reflect.get(error as object, "errors");
  // Where a name has several addresses, each has an error of its own.
  const first: unknown = Array.isArray(errors) ? errors[0] ?? error : error;
  const address = textOf(first, "address");
  const port: unknown = Reflect.get(first as object, "port");
  const code = textOf(error, "code")!;
  if (address === undefined) return code;
  return `${code} ${address}${typeof port === "number" ? `:${port}` : ""}`;
}

/**
 * Finds the error of the database or its client below the wrappers of Drizzle, whose messages hold SQL and parameters.
 */
export function rootOf(error: unknown): unknown {
  let root = error;
  while (root instanceof Error && root.cause instanceof Error) root = root.cause;
  return root;
}

/** Reads a text property of whatever was thrown. */
export function textOf(error: unknown, property: string): string | undefined {
  const value: unknown = typeof error === "object" && error !== null
    ? Reflect.get(error, property)
    : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Carries what a user's work threw past the handling of the database's own errors. */
export class UserError {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
