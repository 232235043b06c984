import { connect, createServer, type Socket } from "node:net";

/** A connection to a server that can be cut. */
export interface Cable {
  /** The server's URL, by way of the cable. */
  readonly url: string;
  /**
   * Cuts the connection of the next request that contains a text, in any case: before the server gets it, or when it has answered
   * and before the client gets that. Later connections are whole.
   */
  cut(when: "before" | "after", text: string): void;
  /** Ends all connections, and lets no other come about until it is plugged in again. */
  unplug(): void;
  plug(): void;
  /** Holds back what the server says, on all connections, as a server does that hangs; and lets it through again. */
  hold(): void;
  release(): void;
  /** How many connections did not come about. */
  readonly refused: number;
  /** Whether the cut was made. */
  readonly done: boolean;
  close(): Promise<void>;
}

/**
 * Lays a cable to a server.
 *
 * @param listener Is made for each connection, and hears what its client sends.
 */
export async function lay(
  to: string,
  listener: () => (chunk: Uint8Array) => void = () => () => {},
): Promise<Cable> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  let next: { readonly when: "before" | "after"; readonly text: string } | undefined;
  let done = false;
  let plugged = true;
  let held = false;
  const servers = new Set<Socket>();
  let refused = 0;
  const server = createServer((client) => {
    if (!plugged) {
      refused++;
      client.destroy();
      return;
    }
    const there = connect(Number(target.port), target.hostname);
    let cutting = false;
    servers.add(there.on("close", () => servers.delete(there)));
    if (held) there.pause();
    const end = () => [client, there].forEach((socket) => socket.destroy());
    for (const socket of [client, there]) {
      sockets.add(socket.on("error", end).on("close", end));
    }
    const hear = listener();
    client.on("data", (chunk: Buffer) => {
      hear(chunk);
      if (next !== undefined && chunk.toString("latin1").toLowerCase().includes(next.text)) {
        cutting = done = true;
        if (next.when === "before") end();
        next = undefined;
      }
      if (!there.destroyed) there.write(chunk);
    });
    there.on("data", (chunk) => {
      if (cutting) end();
      else client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = new URL(to);
  url.port = String(typeof address === "object" && address ? address.port : 0);
  return {
    url: url.href,
    cut(when, text) {
      next = { when, text: text.toLowerCase() };
      done = false;
    },
    unplug() {
      plugged = false;
      sockets.forEach((socket) => socket.destroy());
    },
    plug() {
      plugged = true;
    },
    hold() {
      held = true;
      servers.forEach((server) => server.pause());
    },
    release() {
      held = false;
      servers.forEach((server) => server.resume());
    },
    get refused() {
      return refused;
    },
    get done() {
      return done;
    },
    async close() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
