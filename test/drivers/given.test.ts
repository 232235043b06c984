// The Postgres at `POSTGRES_URL`: in a file of its own, so that it is tested at the same time as ours.
import { contractOn } from "../support/contract.ts";
import { postgresServers } from "../support/postgres.ts";

if (postgresServers.includes("given")) contractOn("given");
