import { connect } from "node:net";
import { WebSocketServer } from "ws";
import { free } from "./server.ts";

/** A proxy as Neon has one: each WebSocket is a connection of Postgres' protocol. */
export interface NeonProxy {
  /** For `neonConfig.wsProxy`: where it is, without a scheme. */
  readonly address: string;
  close(): void;
}

/** Starts a proxy before a Postgres server. */
export async function startNeonProxy(database: string): Promise<NeonProxy> {
  const { hostname, port } = new URL(database);
  const own = await free();
  const server = new WebSocketServer({ host: "127.0.0.1", port: own });
  await new Promise((resolve) => server.once("listening", resolve));
  server.on("connection", (web) => {
    const socket = connect(Number(port), hostname);
    const end = () => {
      socket.destroy();
      web.close();
    };
    web.on("message", (data: Uint8Array) => socket.write(data)).on("close", end).on("error", end);
    socket.on("data", (data) => web.send(data)).on("close", end).on("error", end);
  });
  return { address: `127.0.0.1:${own}/`, close: () => server.close() };
}
