/** The meaning of a database error for the failed statement. */
export type Failure =
  /** The tables do not exist. */
  | "missing"
  /** Another writer interfered; nothing is stored, and an immediate retry may succeed. */
  | "raced"
  /** Another writer blocked the statement for longer than its timeout. */
  | "busy"
  /** The transaction around it is aborted. */
  | "aborted"
  /** Another append was faster at one of several streams: the guard in our statement undid it. */
  | "outrun"
  /** A constraint refused it: an event's id exists already, or the user added a constraint. */
  | "refused"
  /** The connection failed: whether the statement took effect is unknown. */
  | "lost"
  /** The database refused it for any other reason. */
  | "other";

/** The classification of an error of the database or its client. */
export interface Classified {
  readonly failure: Failure;
  /** The database's own code, or the client's. */
  readonly code: string | undefined;
  /** The reason in words that hold no data; undefined where only the error's message tells it. */
  readonly reason: string | undefined;
  /** Whether it was an HTTP status and not an error of a statement. @default false */
  readonly byStatus?: boolean;
}

/**
 * The codes of a failed connection: of system calls, `fetch`, TLS, postgres.js, Bun and the clients for libSQL. Any
 * other code belongs to a database or a client.
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

/**
 * Whether an error of a commit leaves open what became of it: no answer came, or an HTTP status did. Deno's `fetch` sends a
 * request again when a kept connection was cut, and the server refuses the second, since the first has committed.
 */
export function hidesCommit({ failure, byStatus = false }: Classified): boolean {
  return failure === "lost" || byStatus;
}

/** The codes with which clients refuse to use a closed handle. */
const closedCodes = ["CONNECTION_ENDED", "CLIENT_CLOSED"];

/** The language's own errors, which mean a programming error. `fetch` alone throws a `TypeError` for the network. */
const programmingErrors = ["RangeError", "SyntaxError", "ReferenceError", "EvalError", "URIError"];

/**
 * Classifies an error without a code of the database: a failed connection, or an error in the program or the client.
 * Only what a network can cause is `lost`, since a caller retries that.
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
  const lost = root instanceof Error && !programmingErrors.includes(name) &&
    (name !== "TypeError" || fetches);
  return lost
    ? { failure: "lost", code, reason: undefined }
    : { failure: "other", code, reason: `the client failed with ${name}` };
}

/** Returns the code of a failed connection and its address: `ECONNREFUSED 127.0.0.1:5433`. */
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

/** Reads a text property of a thrown value; undefined if it has none. */
export function textOf(error: unknown, property: string): string | undefined {
  const value: unknown = typeof error === "object" && error !== null
    ? Reflect.get(error, property)
    : undefined;
  return typeof value === "string" ? value : undefined;
}

/** Carries an error of a user's callback past the handling of database errors. */
export class UserError {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}
