// Between node:http, which Express and NestJS extend, and the requests and responses of the web.
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";

/** A server of node:http, or one that is like it. */
interface Closing {
  keepAliveTimeout?: number;
  close(callback: () => void): unknown;
}

/** The request as the web has it. Nothing may have read its body, such as `express.json()`. */
export function webRequest(request: IncomingMessage): Request {
  const { method = "GET", url = "/" } = request;
  const headers = new Headers();
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    for (const value of values ?? []) headers.append(name, value);
  }
  const body = method === "GET" || method === "HEAD" ? null : Readable.toWeb(request);
  const init: RequestInit & { duplex: "half" } = { method, headers, body, duplex: "half" };
  return new Request(new URL(url, "http://localhost"), init);
}

/** Sends a response of the web. */
export async function send(answer: Promise<Response>, response: ServerResponse): Promise<void> {
  const web = await answer;
  response.writeHead(web.status, Object.fromEntries(web.headers));
  response.end(await web.text());
}

/** Accepts no more requests, and resolves when the last one has its response. */
export function finishRequests(server: Closing): Promise<void> {
  server.keepAliveTimeout = 1; // else a connection stays open for seconds after its last response
  return new Promise((resolve) => server.close(() => resolve()));
}
