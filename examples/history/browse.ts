import { serve } from "@hono/node-server";
import type { EventStore, Projection } from "event-sourcery";
import { studio } from "event-sourcery/studio";
import { once } from "node:events";
import process from "node:process";
import { Contributor } from "./contributor.ts";
import type { HistoryEvent } from "./events.ts";
import type { Db } from "./model.ts";
import { Project } from "./project.ts";

/** Whether a request names this machine: one that names another was led here by a stranger's page. */
const isLocal = ({ headers }: Request) =>
  /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(headers.get("host") ?? "");

/**
 * Serves a studio on this machine alone, until Ctrl+C.
 *
 * @param onReady Receives the address.
 */
export async function browse(
  store: EventStore<HistoryEvent, Db>,
  charts: Projection<HistoryEvent, Db>,
  { title, port }: { readonly title: string; readonly port: number },
  onReady: (url: string) => void,
): Promise<void> {
  const handler = studio(store, {
    title,
    authorize: (request) => isLocal(request) && "act",
    consumers: [charts],
    aggregates: { repository: Project, contributor: Contributor },
    actions: ["rebuild"],
  });
  const options = { fetch: handler, port, hostname: "127.0.0.1" };
  const server = serve(options, (info) => onReady(`http://127.0.0.1:${info.port}/`));
  await Promise.race([once(process, "SIGINT"), once(server, "close")]); // an error of the server is thrown
  server.close();
}
