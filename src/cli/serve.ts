import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { pipeline } from "node:stream/promises";
import { exit, Stop } from "./exit.ts";

/**
 * Answers HTTP on this machine alone, until the signal aborts.
 *
 * @param port The port; 0 takes a free one.
 * @param ready Is called with the address, without a path.
 * @throws {Stop} If the port is taken.
 */
export async function serve(
  handler: (request: Request) => Promise<Response>,
  port: number,
  signal: AbortSignal,
  ready: (url: string) => unknown,
): Promise<void> {
  const server = createServer((message, reply) => {
    void (async () => {
      try {
        const { status, headers, body } = await handler(requestOf(message));
        reply.writeHead(status, Object.fromEntries(headers));
        if (body === null) reply.end();
        else {
          const reader = body.getReader();
          reply.once("close", () => void reader.cancel().catch(() => {})); // who asked may leave
          await pipeline(chunksOf(reader), reply);
        }
      } catch {
        if (reply.headersSent) reply.destroy();
        else reply.writeHead(500).end();
      }
    })();
  });
  server.listen(port, "127.0.0.1");
  try {
    await once(server, "listening");
  } catch {
    throw new Stop(exit.usage, `Port ${port} cannot be used: choose another with --port`);
  }
  const address = server.address();
  ready(`http://127.0.0.1:${typeof address === "object" ? address?.port : port}`);
  if (!signal.aborted) await once(signal, "abort");
  server.close();
  server.closeAllConnections();
}

async function* chunksOf(
  reader: ReadableStreamDefaultReader<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let part = await reader.read(); !part.done; part = await reader.read()) yield part.value;
}

function requestOf(message: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, String(value));
  }
  const { method = "GET", url = "/" } = message;
  const body = method === "GET" || method === "HEAD" ? null : streamOf(message);
  const init = { method, headers, body, duplex: "half" } as const;
  return new Request(new URL(url, "http://127.0.0.1"), init);
}

function streamOf(message: IncomingMessage): ReadableStream<Uint8Array> {
  const parts = message[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await parts.next();
      if (done) controller.close();
      else controller.enqueue(new Uint8Array(value));
    },
  });
}
