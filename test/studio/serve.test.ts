import { defineEvent, EventStore } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { studio } from "event-sourcery/studio";
import { Hono } from "hono";
import assert from "node:assert/strict";
import { test } from "node:test";
import { runtime } from "../support/root.ts";
import { serve } from "../support/serve.ts";

const Noted = defineEvent<string>()("Noted");
const storeOf = () => new EventStore(memory(), { events: [Noted] });
const authorize = () => "read" as const;

test("studio() is mounted with its path stripped or not, and links from its base", async () => {
  const store = storeOf();
  await store.append("a/..:1", Noted("x"));
  const handler = studio(store, { authorize, basePath: "/ops/studio" });
  const mounted = new Hono().mount("/ops/studio", handler);
  const all = new Hono().all("/ops/studio/*", (context) => handler(context.req.raw));
  for (const app of [mounted, all]) {
    for (const path of ["/ops/studio", "/ops/studio/", "/ops/studio/streams"]) {
      const response = await app.request(path);
      assert.equal(response.status, 200, path);
      const page = await response.text();
      const links = [...page.matchAll(/(?:href|action)="([^"#]*)"/g)].map(([, link]) => link!);
      assert.ok(links.length > 6, path);
      assert.deepEqual(links.filter((link) => !link.startsWith("/ops/studio")), []);
      for (const link of links.filter((link) => /stream\?/.test(link))) {
        assert.equal((await app.request(link.replaceAll("&amp;", "&"))).status, 200, link);
      }
    }
  }
  for (const basePath of ["studio", "/studio/", "//x", "/a?b"]) {
    assert.throws(() => studio(store, { authorize, basePath }), TypeError);
  }
});

test(`studio() is served by ${runtime}`, { timeout: 20_000 }, async () => {
  const { url, close } = await serve(studio(storeOf(), { authorize, title: "Shop" }));
  try {
    const response = await fetch(url);
    assert.match(response.headers.get("content-security-policy") ?? "", /^default-src 'none'/);
    assert.match(await response.text(), /<title>Overview · Shop<\/title>/);
    assert.equal((await fetch(url, { method: "HEAD" })).status, 200);
  } finally {
    await close();
  }
});

/** Reads server-sent events: the text of each message. */
function reader(response: Response) {
  const chunks = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  const next = async (): Promise<string> => {
    while (!buffer.includes("\n\n")) {
      const { value, done } = await chunks.read();
      if (done) throw new Error("The stream has ended");
      buffer += value;
    }
    const [message, ...rest] = buffer.split("\n\n");
    buffer = rest.join("\n\n");
    return message!;
  };
  return { next, close: () => chunks.cancel() };
}

test(
  "/live sends the rows of new events, goes on where it was, and filters",
  { timeout: 20_000 },
  async () => {
    const store = storeOf();
    await store.append("order:1", Noted("one"));
    const handler = studio(store, { authorize });
    const live = (query: string, headers: Record<string, string> = {}) =>
      handler(new Request(`http://localhost/live?${query}`, { headers }));
    const all = reader(await live("after=1"));
    const some = reader(await live("after=1&category=cart"));
    assert.equal(await all.next(), "retry: 3000");
    assert.equal(await some.next(), "retry: 3000");
    await store.append("order:2", Noted("<b>\r\ntwo"));
    await store.append("cart:1", Noted("three"));
    const [rows, filtered] = await Promise.all([all.next(), some.next()]);
    assert.match(rows, /^event: rows\nid: 3\ndata: <tr/);
    assert.match(rows, /cart:1.*order:2.*&lt;b&gt;/s); // the newest first
    assert.ok(rows.split("\n").every((line) => /^(event|id|data): /.test(line)));
    assert.match(filtered, /three/);
    assert.doesNotMatch(filtered, /order:2/);
    await Promise.all([all.close(), some.close()]);

    const again = reader(await live("after=1", { "last-event-id": "2" }));
    assert.equal(await again.next(), "retry: 3000");
    const missed = await again.next();
    assert.match(missed, /^event: rows\nid: 3\n/);
    assert.match(missed, /three/);
    assert.doesNotMatch(missed, /two/);
    await again.close();
  },
);

test(
  "/live sends at most 20 rows a second, and counts the others",
  { timeout: 20_000 },
  async () => {
    const store = storeOf();
    const handler = studio(store, { authorize });
    const { next, close } = reader(await handler(new Request("http://localhost/live?after=0")));
    await next();
    await store.append("s", Array.from({ length: 500 }, () => Noted("x")));
    const rows = await next();
    assert.equal(rows.match(/<tr class="fresh"/g)?.length, 20);
    assert.match(rows, /480 more in this second/);
    await close();
  },
);

test(
  "/live has at most 50 viewers, and those who leave make room",
  { timeout: 20_000 },
  async () => {
    const handler = studio(storeOf(), { authorize });
    const ask = () => handler(new Request("http://localhost/live"));
    const viewers = await Promise.all(Array.from({ length: 50 }, ask));
    assert.ok(viewers.every(({ status }) => status === 200));
    assert.equal((await ask()).status, 503);
    await viewers[0]!.body!.cancel();
    const late = await ask();
    assert.equal(late.status, 200);
    for (const { body } of [...viewers.slice(1), late]) await body!.cancel();
    const head = () => handler(new Request("http://localhost/live", { method: "HEAD" }));
    for (let index = 0; index < 60; index++) assert.equal((await head()).status, 200);
    const stop = new AbortController();
    const leaving = Array.from(
      { length: 50 },
      () => handler(new Request("http://localhost/live", { signal: stop.signal })),
    );
    assert.ok((await Promise.all(leaving)).every(({ status }) => status === 200));
    stop.abort();
    const { status, body } = await ask();
    assert.equal(status, 200);
    await body!.cancel();
  },
);
