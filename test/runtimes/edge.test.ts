// A Worker whose store lives as long as its isolate, in workerd, in front of a libSQL server whose requests are counted.
import { createClient } from "@libsql/client/http";
import { drizzle } from "drizzle-orm/libsql";
import { libsql } from "event-sourcery/libsql";
import type { Miniflare } from "miniflare";
import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { root, runtime } from "../support/root.ts";
import { ownPrefix, sqldUrl } from "../support/sqld.ts";
import { startWorker } from "../support/workerd.ts";

if (runtime === "node") {
  const timeout = 120_000;
  let worker: Miniflare;
  let proxy: Awaited<ReturnType<typeof counting>>;
  let webhook: Awaited<ReturnType<typeof receiving>>;

  before(async () => {
    const prefix = ownPrefix();
    const url = await sqldUrl();
    await libsql(drizzle(createClient({ url })), { prefix }).migrate(); // as a deployment does
    [proxy, webhook] = [await counting(url), await receiving()];
    worker = await startWorker(join(root, "examples/edge/worker.ts"), {
      ...{ LIBSQL_URL: proxy.url, LIBSQL_PREFIX: prefix, WEBHOOK_URL: webhook.url },
    });
  }, { timeout });

  after(async () => {
    await worker?.dispose();
    for (const { server } of [proxy, webhook]) await new Promise((done) => server.close(done));
  });

  const post = async (path: string, body: object) => {
    const response = await worker.dispatchFetch(`http://worker/${path}`, {
      ...{ method: "POST", body: JSON.stringify(body) },
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };

  // The first of all requests is among them, which finds out whether the tables are there.
  test("a request that its client gives up takes none of the others with it", {
    timeout,
  }, async () => {
    const address = await worker.ready;
    for (const round of Array(5).keys()) {
      proxy.hold();
      const leaving = new AbortController();
      const given = fetch(new URL(`notes/left-${round}`, address), {
        ...{ method: "POST", body: '{"text":"never mind"}', signal: leaving.signal },
      });
      given.catch(() => {});
      await proxy.isHeld();
      const others = [1, 2, 3].map((index) =>
        post(`notes/stay-${round}-${index}`, { text: "stay" })
      );
      await new Promise((resolve) => setTimeout(resolve, 20));
      leaving.abort();
      await assert.rejects(given);
      proxy.release();
      assert.deepEqual(await Promise.all(others), [1, 1, 1].map((version) => ({ version })));
    }
  });

  test(
    "an append takes one request, a cold command two, a cached one one",
    { timeout },
    async () => {
      const counted = async (...parameters: Parameters<typeof post>) => {
        const sent = proxy.count();
        await post(...parameters);
        return proxy.count() - sent;
      };
      assert.equal(await counted("notes/1", { text: "a" }), 1);
      assert.equal(await counted("orders/1", { cents: 5 }), 2);
      assert.equal(await counted("orders/1", { cents: 5 }), 2);
      await post("cached/1", { cents: 5 });
      assert.equal(await counted("cached/1", { cents: 5 }), 1);
      assert.deepEqual(await (await worker.dispatchFetch("http://worker/orders/1")).json(), {
        cents: 20,
      });
    },
  );

  test("requests at the same time share the store, and each gets its own answer", {
    timeout,
  }, async () => {
    const answers = await Promise.all(
      Array.from(
        { length: 30 },
        (_, index) => post(`notes/many-${index % 3}`, { text: `${index}` }),
      ),
    );
    const versions = answers.map(({ version }) => version).sort((a, b) => a - b);
    assert.deepEqual(versions, Array.from({ length: 30 }, (_, index) => Math.floor(index / 3) + 1));
  });

  test(
    "the outbox publishes after the response, and by cron what is left",
    { timeout },
    async () => {
      await post("published/2", { cents: 1 });
      await webhook.received((messages) => messages.some(({ streamId }) => streamId === "order:2"));
      await post("orders/3", { cents: 1 });
      await worker.dispatchFetch("http://worker/cdn-cgi/handler/scheduled");
      await webhook.received((messages) => messages.some(({ streamId }) => streamId === "order:3"));
      const ids = webhook.messages.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length, "each once, since nothing failed");
    },
  );
}

/** Stands before a server, counts the requests, and may hold them back. */
async function counting(target: string) {
  let count = 0;
  let held: Promise<void> | undefined;
  let open = () => {};
  let arrived = () => {};
  let waiting: Promise<void> = Promise.resolve();
  const { server, url } = await serve(async (request, body) => {
    count++;
    arrived();
    await held;
    const { method = "GET", url = "/", headers } = request;
    const answer = await fetch(new URL(url, target), {
      method,
      headers: { "content-type": headers["content-type"] ?? "application/json" },
      ...(method === "GET" ? {} : { body: new Uint8Array(body) }),
    });
    return { status: answer.status, body: new Uint8Array(await answer.arrayBuffer()) };
  });
  return {
    server,
    url,
    count: () => count,
    hold() {
      held = new Promise((resolve) => open = resolve);
      waiting = new Promise((resolve) => arrived = resolve);
    },
    isHeld: () => waiting,
    release() {
      open();
      held = undefined;
    },
  };
}

/** A webhook's receiver. */
async function receiving() {
  const messages: { id: string; streamId: string }[] = [];
  const { server, url } = await serve(async (_, body) => {
    messages.push(JSON.parse(String(body)));
    return { status: 204, body: new Uint8Array() };
  });
  return {
    server,
    url,
    messages,
    async received(wanted: (found: typeof messages) => boolean) {
      while (!wanted(messages)) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  };
}

async function serve(
  answer: (
    request: import("node:http").IncomingMessage,
    body: Buffer,
  ) => Promise<{ status: number; body: Uint8Array }>,
): Promise<{ server: Server; url: string }> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    try {
      const { status, body } = await answer(request, Buffer.concat(parts));
      response.writeHead(status, { "content-type": "application/json" }).end(body);
    } catch {
      response.writeHead(502).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}
