const watched: WeakSet<object> = new WeakSet();

/** The members of a pool of node-postgres, or one like it, that the driver uses. */
interface Pool {
  readonly on: (event: "acquire", work: (connection: Emitter) => void) => unknown;
}

interface Emitter {
  readonly on: (event: "error", work: () => void) => unknown;
}

/**
 * Handles the errors of a pool's connections while they are in use.
 *
 * The pool itself listens to idle ones only. Where the server ends a connection in the middle of a transaction, an
 * unhandled error event would end the process; the next statement fails in any case.
 */
export function watch(client: object): void {
  if (!isPool(client) || watched.has(client)) return;
  watched.add(client);
  client.on("acquire", (connection) => {
    if (watched.has(connection)) return;
    watched.add(connection);
    connection.on("error", () => {});
  });
}

function isPool(client: object): client is Pool {
  return "totalCount" in client && "on" in client && typeof client.on === "function";
}
