import { isEventSourceryError, Outbox } from "event-sourcery";
import { decodeEvent, webhook, type WebhookOptions } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHmac } from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import {
  context,
  events,
  newStore,
  Placed,
  type Sent,
  Shipped,
  stored,
  until,
} from "../support/publishing.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

interface Request {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver of webhooks, and what it got. */
async function receiver(answer: (response: ServerResponse) => unknown, port = 0) {
  const requests: Request[] = [];
  const server: Server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => body += text).on("end", () => {
      requests.push({ headers: request.headers, body });
      answer(response);
    });
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  const found = server.address() as AddressInfo;
  const close = async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    requests,
    close,
    port: found.port,
    url: `http://127.0.0.1:${found.port}/hooks?key=hidden`,
  };
}

function to(url: string, more: Partial<WebhookOptions<typeof events>> = {}) {
  return webhook({ events, source: "/shop", url, secret, ...more });
}

test("webhook() signs what it posts", async () => {
  const other = `whsec_${btoa("x".repeat(64))}`;
  const { requests, url, close } = await receiver((response) => response.writeHead(204).end());
  const [event] = await stored("order:1");
  const headers = { authorization: "Bearer t" };
  await to(url, { secret: [secret, other], headers })(event!, context());
  const [{ headers: got, body }] = requests as [Request];
  assert.deepEqual(decodeEvent(events, { headers: got, body }), event);
  assert.equal(got["content-type"], "application/cloudevents+json; charset=utf-8");
  assert.equal(got["webhook-id"], event!.id);
  assert.equal(got.authorization, "Bearer t");
  assert(Math.abs(Number(got["webhook-timestamp"]) - Date.now() / 1000) < 5);
  const signed = `${got["webhook-id"]}.${got["webhook-timestamp"]}.${body}`;
  const expected = [secret, other].map((text) => {
    const key = Buffer.from(text.slice("whsec_".length), "base64");
    return `v1,${createHmac("sha256", key).update(signed).digest("base64")}`;
  });
  assert.equal(got["webhook-signature"], expected.join(" "));
  await close();
});

test("webhook() tells what another attempt can change from what none can", async () => {
  let status = 0;
  const { requests, url, close } = await receiver((response) => {
    response.writeHead(status, { location: "/elsewhere" }).end("long");
  });
  const [event] = await stored();
  const outcomes = { done: [200, 202, 299], permanent: [400, 401, 404, 410, 413, 499] };
  const again = [301, 302, 307, 308, 408, 425, 429, 500, 502, 503];
  for (status of [...outcomes.done, ...outcomes.permanent, ...again]) {
    const error = await to(url)(event!, context()).then(() => undefined, (error) => error);
    assert.equal(error === undefined, outcomes.done.includes(status));
    if (error === undefined) continue;
    assert.equal(isEventSourceryError(error, "PERMANENT"), outcomes.permanent.includes(status));
    assert.match(error.message, new RegExp(`127\\.0\\.0\\.1:\\d+ has answered ${status}$`));
  }
  assert.equal(requests.length, 19, "no redirect is followed");
  await close();
});

test("webhook() waits as long as Retry-After says, and asks nothing meanwhile", async () => {
  let after = "";
  const { requests, url, close } = await receiver((response) => {
    response.writeHead(after === "" ? 204 : 503, { "retry-after": after }).end();
  });
  const [event] = await stored();
  const inTwoHours = new Date(Date.now() + 7200_000).toUTCString();
  for (const [value, seconds] of [["90", 90], [inTwoHours, 7200], ["999999", 86_400]] as const) {
    after = value;
    const publisher = to(url);
    for (const round of [1, 2]) {
      await assert.rejects(publisher(event!, context()), (error) => {
        assert(isEventSourceryError(error, "RETRY_LATER"));
        assert(Math.abs(error.delay - seconds * 1000) < 2000, `${round}: ${error.delay}`);
        return true;
      });
    }
  }
  assert.equal(requests.length, 3);

  const store = newStore();
  await store.append("order:1", Placed(1));
  after = "1";
  const outbox = new Outbox(store, { publisher: to(url), retry: { minDelay: 0, maxDelay: 0 } });
  const start = performance.now();
  await outbox.runOnce();
  after = "";
  const [parked] = await outbox.parked();
  assert(Math.abs(parked!.dueAt!.getTime() - Date.now() - 1000) < 500);
  const stop = new AbortController();
  const run = outbox.run({ signal: stop.signal, onError: () => {} });
  await until(() => requests.length === 5);
  assert(performance.now() - start >= 990);
  stop.abort();
  await run;
  await close();
});

test("webhook() gives up a receiver that does not answer", async () => {
  const { requests, url, close } = await receiver(() => {});
  const [event] = await stored();
  await assert.rejects(to(url, { timeout: 30 })(event!, context()), {
    message: /^127\.0\.0\.1:\d+ has not answered in 30 ms$/,
  });
  const stop = new AbortController();
  const headers = { "x-attempt": "second" }; // the first may have been given up before it was read
  const asked = to(url, { headers })(event!, context(stop.signal));
  await until(() => requests.some(({ headers }) => headers["x-attempt"] === "second"));
  stop.abort(new Error("the lease is lost"));
  await assert.rejects(asked, /the lease is lost/);
  await close();
  await assert.rejects(to(url)(event!, context()), {
    message: /^127\.0\.0\.1:\d+ cannot be reached$/,
  });
});

test("webhook() loses nothing and keeps the order while the receiver is away", async () => {
  const received: Sent[] = [];
  const answer = (response: ServerResponse) => response.writeHead(204).end();
  let there = await receiver(answer);
  const collect = () => {
    for (const { headers, body } of there.requests.splice(0)) {
      received.push(decodeEvent(events, { headers, body }));
    }
  };
  const store = newStore();
  const write = async () => {
    for (let index = 0; index < 40; index++) {
      await store.append(`order:${index % 5}`, [Placed(index), Shipped()]);
    }
  };
  const retry = { minDelay: 1, maxDelay: 20 };
  const outbox = new Outbox(store, { publisher: to(there.url), concurrency: 4, retry });
  const stop = new AbortController();
  const run = outbox.run({ signal: stop.signal, pollInterval: 20, onError: () => {} });
  await write();
  await until(() => there.requests.length > 20);
  await there.close();
  collect();
  await write();
  await until(async () => (await outbox.status()).stalled);
  there = await receiver(answer, there.port);
  await outbox.waitFor(await store.position(), { signal: AbortSignal.timeout(20_000) });
  await until(async () => (await outbox.parked()).length === 0);
  stop.abort();
  await run;
  collect();
  await there.close();
  const last = new Map<string, number>();
  for (const { streamId, version } of received) {
    const before = last.get(streamId) ?? 0;
    assert(version <= before + 1, `${streamId} was overtaken at ${version}`);
    last.set(streamId, Math.max(before, version));
  }
  assert.deepEqual([...last.values()], [32, 32, 32, 32, 32]);
});

test("webhook() refuses URLs in the open, and secrets that are none", () => {
  for (
    const url of [
      "http://example.com",
      "http://10.0.0.1/",
      "ftp://localhost",
      "/hooks",
      "http://localhost.evil/",
    ]
  ) {
    assert.throws(() => to(url), TypeError, url);
  }
  for (
    const url of [
      "https://example.com",
      "http://localhost:1",
      "http://a.localhost",
      "http://127.9.9.9",
      "http://[::1]",
    ]
  ) {
    to(url);
  }
  to("http://example.com", { allowInsecure: true });
  assert.throws(
    () => to("https://user:hidden@example.com"),
    (error: Error) => !/hidden/.test(error.message),
  );
  const bad = [
    "",
    "whsec_",
    "hidden",
    `whsec_${btoa("x".repeat(23))}`,
    `whsec_${btoa("x".repeat(65))}`,
    "whsec_%",
    [],
  ];
  for (const secret of bad) {
    assert.throws(() => to("https://example.com", { secret }), (error) => {
      assert(error instanceof TypeError && !/hidden/.test(error.message));
      return true;
    });
  }
});
