import pg from "pg";

/** Opens a pool of node-postgres that survives the end of its connections, as when a test has the server end them. */
export function openPool(
  connectionString: string,
  max: number = 10,
): { readonly pool: pg.Pool; readonly close: () => Promise<void> } {
  const pool = new pg.Pool({ connectionString, max });
  // Idle ones, and those in use.
  pool.on("error", () => {}).on("connect", (client) => client.on("error", () => {}));
  // On Bun it waits for ever for a connection that the server has ended.
  const late = () => new Promise<void>((resolve) => setTimeout(resolve, 1000));
  return { pool, close: () => Promise.race([pool.end(), late()]) };
}
