import { serve as serveNode } from "@hono/node-server";
import type { Server } from "node:http";
import { runtime } from "./root.ts";

/** A server of this runtime's own. */
export interface Served {
  readonly url: string;
  readonly close: () => Promise<void>;
}

type Handler = (request: Request) => Promise<Response>;

/** The part of Deno and Bun that is used: their types are not those of Node. */
interface DenoServer {
  readonly serve: (
    options: { readonly port: number; readonly hostname: string; readonly onListen: () => void },
    handler: Handler,
  ) => { readonly addr: { readonly port: number }; readonly shutdown: () => Promise<void> };
}
interface BunServer {
  readonly serve: (
    options: { readonly port: number; readonly hostname: string; readonly fetch: Handler },
  ) => { readonly port: number; readonly stop: (now: boolean) => Promise<void> };
}

/** Serves a fetch handler on the loopback, as this runtime does it. */
export async function serve(handler: Handler): Promise<Served> {
  switch (runtime) {
    case "deno": {
      const deno: DenoServer = Reflect.get(globalThis, "Deno");
      const server = deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, handler);
      return { url: `http://127.0.0.1:${server.addr.port}`, close: () => server.shutdown() };
    }
    case "bun": {
      const bun: BunServer = Reflect.get(globalThis, "Bun");
      const server = bun.serve({ port: 0, hostname: "127.0.0.1", fetch: handler });
      return { url: `http://127.0.0.1:${server.port}`, close: () => server.stop(true) };
    }
    case "node": {
      let server: Server;
      const port = await new Promise<number>((resolve) => {
        const options = { fetch: handler, port: 0, hostname: "127.0.0.1" };
        server = serveNode(options, (info) => resolve(info.port)) as Server;
      });
      return {
        url: `http://127.0.0.1:${port}`,
        close: () =>
          new Promise((resolve) => {
            server.close(() => resolve());
            server.closeAllConnections();
          }),
      };
    }
  }
}
