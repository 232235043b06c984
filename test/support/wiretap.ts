import { connect, createServer, type Socket } from "node:net";

/** A statement as a client sent it to Postgres. */
export interface Sent {
  /** The name that it is prepared under; empty where it is not. */
  readonly name: string;
  readonly text: string;
  /** Whether its text was sent with it, to be parsed. */
  readonly parsed: boolean;
}

/** A connection to Postgres that is listened in on. */
export interface Wiretap {
  /** The server's URL, by way of the tap. */
  readonly url: string;
  /** All that was executed, in order. Clients that wait for their answers have one order over all connections. */
  readonly sent: readonly Sent[];
  close(): Promise<void>;
}

/** Listens in on a server. What is on the wire is what was sent, whatever a client says of itself. */
export async function tap(to: string): Promise<Wiretap> {
  const target = new URL(to);
  const sockets = new Set<Socket>();
  const sent: Sent[] = [];
  const server = createServer((client) => {
    const there = connect(Number(target.port), target.hostname);
    const end = () => [client, there].forEach((socket) => socket.destroy());
    for (const socket of [client, there]) {
      sockets.add(socket.on("error", end).on("close", end));
    }
    const hear = listener(sent);
    client.on("data", (chunk) => {
      if (typeof chunk !== "string") hear(chunk);
      if (!there.destroyed) there.write(chunk);
    });
    there.on("data", (chunk) => void client.write(chunk));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = new URL(to);
  url.port = String(typeof address === "object" && address ? address.port : 0);
  return {
    url: url.href,
    sent,
    async close() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads one connection's messages: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function listener(sent: Sent[]): (chunk: Uint8Array) => void {
  const texts = new Map<string, string>();
  const parsed = new Set<string>();
  let rest = Buffer.alloc(0);
  let typed = 0; // the first message has no type
  return (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    while (rest.length >= typed + 4) {
      const end = typed + rest.readUInt32BE(typed);
      if (rest.length < end) return;
      const type = typed === 0 ? "" : String.fromCharCode(rest[0]!);
      const [first, second] = rest.toString("utf8", typed + 4, end).split("\0");
      rest = rest.subarray(end);
      typed = 1;
      if (type === "P") {
        texts.set(first!, second!);
        parsed.add(first!);
      } else if (type === "B") { // portal and statement
        sent.push({ name: second!, text: texts.get(second!)!, parsed: parsed.delete(second!) });
      } else if (type === "Q") sent.push({ name: "", text: first!, parsed: true });
    }
  };
}
