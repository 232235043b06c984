import { spawnSync } from "node:child_process";
import { chownSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { account, free, launch, scratch, type Server } from "./server.ts";

/** Whether PgBouncer is installed. */
export const hasPgBouncer: boolean = spawnSync("pgbouncer", ["--version"]).status === 0;

/** Starts a PgBouncer in transaction mode before a database; it ends with this process. */
export async function startPgBouncer(database: string): Promise<Server> {
  const owner = account();
  const folder = scratch("pgbouncer", owner);
  const port = await free();
  const { hostname, port: target, pathname, username } = new URL(database);
  const config = join(folder, "pgbouncer.ini");
  writeFileSync(
    config,
    `[databases]
* = host=${hostname} port=${target} user=${username}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
`,
  );
  if (owner) chownSync(config, owner.uid, owner.gid);
  const stop = await launch({
    command: ["pgbouncer", config],
    folder,
    port,
    signal: "KILL",
    account: owner,
  });
  return { url: `postgres://${username}@127.0.0.1:${port}${pathname}`, stop };
}
