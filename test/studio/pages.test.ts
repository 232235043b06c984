import {
  ConnectionError,
  defineEvent,
  EventStore,
  isEventSourceryError,
  Subscription,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { basicAuth, studio, type StudioAction, type StudioOptions } from "event-sourcery/studio";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { markup } from "../../src/studio/frame/html.ts";
import { tokens } from "../../src/studio/frame/tokens.ts";
import { hostile } from "../support/hostile.ts";
import { shopWindow } from "../support/studio.ts";

const Noted = defineEvent<unknown>()("Noted");
const get = (path: string, headers: Record<string, string> = {}) =>
  new Request(`http://localhost${path}`, { headers });

test("studio() escapes what strangers name, on every page", async () => {
  const { handler, paths } = await hostile();
  for (const path of paths) {
    const response = await handler(get(path));
    if (response.status === 303) continue;
    const page = await response.text();
    assert.match(page, /^<!doctype html>\n<html lang="en">/, path);
    const body = page.replace(/<style>.*?<\/style>/s, "").replace(
      /<script>.*?<\/script><\/body>/s,
      "</body>",
    );
    assert.doesNotMatch(body, /<script|<img|="\s*javascript:/i, path);
    const tags = body.match(/<[^>]*>/g)!.map((tag) => tag.replace(/"[^"]*"/g, '""'));
    assert.deepEqual(tags.filter((tag) => /\s(on\w+|style)=|['\u202e]/i.test(tag)), [], path);
    assert.equal(page.match(/<h1[ >]/g)?.length, 1, path);
    const ids = [...page.matchAll(/<[^>]*\sid="([^"]*)"/g)].map(([, id]) => id);
    assert.deepEqual(ids, [...new Set(ids)], path);
    for (const [, of] of page.matchAll(/(?:for|aria-labelledby)="([^"]*)"/g)) {
      assert.ok(ids.includes(of), `${path} ${of}`);
    }
  }
});

test("studio() forbids all content but its own style and script", async () => {
  const { handler } = await shopWindow({}, 2);
  const response = await handler(get("/"));
  const page = await response.text();
  const policy = response.headers.get("content-security-policy")!;
  const hash = (tag: string) => {
    const content = [...page.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, "gs"))].map(([, text]) =>
      text!
    );
    assert.equal(content.length, 1);
    return createHash("sha256").update(content[0]!).digest("base64");
  };
  assert.ok(
    policy.includes(`style-src 'sha256-${hash("style")}'; script-src 'sha256-${hash("script")}';`),
    policy,
  );
  assert.match(policy, /^default-src 'none'; .*frame-ancestors 'none'; base-uri 'none'$/);
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("referrer-policy"), "no-referrer");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
});

test("studio() changes nothing by looking", async () => {
  const { driver, handler, paths, consumer } = await hostile();
  const state = async () => {
    const events = [];
    for await (
      const event of new EventStore(driver, { events: [], unknownEvents: "keep" }).readAll()
    ) events.push(event);
    const { seenAt: _, ...status } = await consumer.status();
    return JSON.stringify([events, status, await consumer.parked()]);
  };
  const before = await state();
  for (const path of paths) await (await handler(get(path))).text();
  for (const path of ["/redrive", "/forget"]) assert.equal((await handler(get(path))).status, 404);
  assert.equal(await state(), before);
});

test("markup escapes everything but Html, and keeps nothing of undefined, null and false", () => {
  const text = markup`<a href="${`"'&<>`}">${[
    1,
    markup`<b>${undefined}${null}${false}</b>`,
    "<",
  ]}</a>`;
  assert.equal(text.toString(), '<a href="&quot;&#39;&amp;&lt;&gt;">1<b></b>&lt;</a>');
});

test("inks on grounds have a contrast of at least 4.5 in both schemes", () => {
  const luminance = (colour: string) => {
    const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4) as [
        number,
        number,
        number,
      ];
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const weak: string[] = [];
  for (const scheme of [0, 1] as const) {
    for (const [ground, below] of Object.entries(tokens.grounds)) {
      for (const [ink, above] of Object.entries(tokens.inks)) {
        const [dark, light] = [luminance(below[scheme]), luminance(above[scheme])].sort((a, b) =>
          a - b
        ) as [number, number];
        const contrast = (light + 0.05) / (dark + 0.05);
        if (contrast < 4.5) weak.push(`${ink} on ${ground} ${scheme}: ${contrast.toFixed(2)}`);
      }
    }
  }
  assert.deepEqual(weak, []);
});

test("authorize decides who sees what", async () => {
  const { handler } = await shopWindow({
    authorize: basicAuth({ user: "ops", password: "pâss:word" }),
  }, 1);
  const asks = (text: string) =>
    handler(get("/", { authorization: `Basic ${Buffer.from(text).toString("base64")}` }));
  assert.equal((await asks("ops:pâss:word")).status, 200);
  for (const wrong of ["ops:pass", "op:pâss:word", "", "ops:pâss:word "]) {
    assert.equal((await asks(wrong)).status, 401);
  }
  const bare = await handler(get("/"));
  assert.equal(bare.headers.get("www-authenticate"), 'Basic realm="studio", charset="UTF-8"');
  assert.doesNotMatch(await bare.text(), /Shop/);
  assert.equal((await handler(get("/", { authorization: "Basic ****" }))).status, 401);
  const refusing = await shopWindow({ authorize: () => false }, 1);
  for (const path of ["/", "/live", "/nothing"]) {
    assert.equal((await refusing.handler(get(path))).status, 403);
  }
  for (const wrong of [undefined, null, true, "admin", {}]) {
    const authorize = () => wrong as unknown as false; // as a program in JavaScript may
    assert.equal((await (await shopWindow({ authorize }, 1)).handler(get("/"))).status, 403);
  }
  const elsewhere = await shopWindow({
    authorize: () => Response.redirect("https://login.example", 302),
  }, 1);
  assert.equal(
    (await elsewhere.handler(get("/"))).headers.get("location"),
    "https://login.example/",
  );
  assert.throws(() => basicAuth({ user: "ops", password: "" }), RangeError);
  assert.throws(
    () => studio(new EventStore(memory(), { events: [] }), {} as StudioOptions),
    TypeError,
  );
});

test("a form is taken from the studio's own pages only", async () => {
  const { handler, consumer } = await hostile({ origins: ["https://ops.example"] });
  const send = async (headers: Record<string, string>) => {
    const body = new URLSearchParams({
      name: consumer.name,
      error: "no such error",
      group: "none",
    });
    return (await handler(
      new Request("http://localhost/redrive", { method: "POST", body, headers }),
    )).status;
  };
  assert.equal(await send({ "sec-fetch-site": "same-origin" }), 303);
  for (const site of ["cross-site", "same-site", "none"]) {
    assert.equal(await send({ "sec-fetch-site": site }), 403);
  }
  assert.equal(await send({ "sec-fetch-site": "cross-site", origin: "http://localhost" }), 403);
  assert.equal(await send({ origin: "http://localhost", host: "localhost" }), 303);
  assert.equal(await send({ origin: "https://ops.example" }), 303);
  for (const origin of ["https://evil.example", "null", "http://localhost.evil.example"]) {
    assert.equal(await send({ origin }), 403);
  }
  assert.equal(await send({}), 303); // no browser
});

test("actions need to be allowed, and a visitor who may act", async () => {
  const post = (path: string, fields: Record<string, string>) =>
    new Request(`http://localhost${path}`, { method: "POST", body: new URLSearchParams(fields) });
  const fields = { name: "invoices", group: "none", error: "" };
  for (
    const options of [{ actions: false }, { authorize: () => "read" as const }, {
      actions: ["discard" as const],
    }]
  ) {
    const { handler } = await shopWindow(options, 12);
    assert.equal((await handler(post("/redrive", fields))).status, 403);
    assert.doesNotMatch(await (await handler(get("/parked"))).text(), /Try (all|again)/);
  }
  const { handler } = await shopWindow({}, 12);
  assert.equal((await handler(post("/redrive", { ...fields, name: "nobody" }))).status, 404);
  assert.equal((await handler(post("/streams", fields))).status, 404);
  assert.equal((await handler(new Request("http://localhost/", { method: "DELETE" }))).status, 405);
});

test("a group of parked streams is tried again, and an event is given up by typing its stream", async () => {
  const told: StudioAction[] = [];
  const { handler, consumers, mend, inspector } = await shopWindow({
    onAction: (action) => void told.push(action),
  }, 12);
  const post = async (path: string, fields: Record<string, string>) => {
    const response = await handler(
      new Request(`http://localhost${path}`, { method: "POST", body: new URLSearchParams(fields) }),
    );
    assert.equal(response.status, 303, path);
    return response.headers.get("location")!;
  };
  const invoices = consumers[1]!;
  const [first, ...others] = await invoices.parked();
  const confirmation =
    await (await handler(get(`/discard?name=invoices&stream=${first!.streamId}`))).text();
  assert.match(confirmation, /will never handle this event/);
  const wrong = await post("/discard", {
    name: "invoices",
    stream: first!.streamId,
    typed: "order:1",
  });
  assert.match(await (await handler(get(wrong))).text(), /role="status">Nothing was given up/);
  assert.equal((await invoices.parked()).length, others.length + 1);
  assert.equal(told.length, 0);
  assert.match(
    await post("/discard", { name: "invoices", stream: first!.streamId, typed: first!.streamId }),
    /notice=discarded$/,
  );
  await invoices.drain();
  assert.equal((await invoices.parked()).length, others.length);

  mend();
  const { group } = others[0]!;
  const same = others.filter((row) => row.group === group);
  const location = await post("/redrive", { name: "invoices", group: group! });
  assert.equal(location, `/parked?notice=redriven&count=${same.length}`);
  await invoices.drain();
  assert.equal((await invoices.parked()).length, others.length - same.length);
  assert.deepEqual(told.map(({ name, streams }) => [name, streams.length]), [["discard", 1], [
    "redrive",
    same.length,
  ]]);

  await post("/rebuild", { name: "order-list" });
  const page = await (await handler(get("/consumer?name=order-list"))).text();
  assert.match(page, /Rebuil(ding|t)/);
  assert.equal((await inspector.consumers()).length, 2);
});

test("what onAction throws keeps an action from being done", async () => {
  const { handler, consumers } = await shopWindow({
    onAction() {
      throw new Error("The audit log is down");
    },
  }, 12);
  const before = await consumers[1]!.parked();
  const body = new URLSearchParams({ name: "invoices", group: before[0]!.group! });
  await assert.rejects(
    handler(new Request("http://localhost/redrive", { method: "POST", body })),
    /audit log/,
  );
  assert.deepEqual(
    (await consumers[1]!.parked()).map(({ attempts }) => attempts),
    before.map(({ attempts }) => attempts),
  );
});

test("a retired consumer is forgotten", async () => {
  const { handler, store, inspector } = await shopWindow({}, 1);
  await new Subscription(store, { name: "old", handler() {} }).runOnce();
  const page = await (await handler(get("/consumer?name=old"))).text();
  assert.match(page, /Forget/);
  const body = new URLSearchParams({ name: "old" });
  await handler(new Request("http://localhost/forget", { method: "POST", body }));
  assert.ok((await inspector.consumers()).every(({ name }) => name !== "old"));
});

test("sensitive fields are hidden, and revealed one event at a time to those who may", async () => {
  const told: string[] = [];
  const options = {
    onAction: ({ name, eventId }: StudioAction) => void told.push(`${name} ${eventId}`),
  };
  const { handler, inspector } = await shopWindow({ authorize: () => "reveal", ...options }, 3);
  const { events: [placed] } = await inspector.log({ types: ["OrderPlaced"], limit: 1 });
  const { id, streamId } = placed!.stored;
  for (
    const path of [
      "/",
      "/log",
      `/stream?id=${streamId}`,
      `/event?id=${id}`,
      `/trace?id=${id}`,
      "/catalogue",
      `/log?reveal=1`,
    ]
  ) {
    assert.doesNotMatch(await (await handler(get(path))).text(), /@example\.com/, path);
  }
  assert.deepEqual(told, []);
  assert.match(await (await handler(get(`/event?id=${id}&reveal=1`))).text(), /@example\.com/);
  assert.deepEqual(told, [`reveal ${id}`]);
  const acting = await shopWindow({ authorize: () => "act" }, 3);
  const { events: [other] } = await acting.inspector.log({ types: ["OrderPlaced"], limit: 1 });
  assert.doesNotMatch(
    await (await acting.handler(get(`/event?id=${other!.stored.id}&reveal=1`))).text(),
    /@example\.com/,
  );
});

test("the search box leads to streams, events, traces and positions", async () => {
  const { handler, inspector } = await shopWindow({ basePath: "/studio" }, 3);
  const { events } = await inspector.log({ types: ["PaymentTaken"], limit: 1 });
  const { id, metadata } = events[0]!.stored;
  const leads = async (text: string) =>
    (await handler(get(`/studio/find?q=${encodeURIComponent(text)}`))).headers.get("location");
  assert.equal(await leads("order:1201"), "/studio/stream?id=order:1201");
  assert.equal(await leads("order:12"), "/studio/streams?prefix=order:12");
  assert.equal(await leads("order:*"), "/studio/streams?prefix=order:*");
  assert.equal(await leads(id), `/studio/event?id=${id}`);
  assert.equal(
    await leads(String(metadata["correlationId"])),
    `/studio/event?id=${metadata["correlationId"]}`,
  );
  assert.equal(await leads("#7"), "/studio/log?before=8");
  assert.equal(await leads("7"), "/studio/log?before=8");
  assert.equal(await leads(""), "/studio/streams");
  assert.equal((await handler(get("/studio/find?q=nothing"))).status, 404);
});

test("a tenant's streams are shown where the store sees all tenants, and no other's where it is scoped", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  await store.scope({ tenantId: "a" }).append("s", Noted("of a"));
  await store.scope({ tenantId: "b" }).append("s", Noted("of b"));
  const text = async (handler: ReturnType<typeof studio>, path: string) => {
    const response = await handler(get(path));
    return [response.status, await response.text()] as const;
  };
  const all = studio(store, { authorize: () => "read" });
  assert.match((await text(all, "/log"))[1], /\/stream\?id=s&amp;tenant=b/);
  assert.match((await text(all, "/stream?id=s&tenant=b"))[1], /of b/);
  assert.equal((await text(all, "/stream?id=s"))[0], 404);
  const one = studio(store.scope({ tenantId: "a" }), { authorize: () => "read" });
  assert.match((await text(one, "/stream?id=s"))[1], /of a/);
  assert.equal((await text(one, "/stream?id=s&tenant=b"))[0], 404);
  assert.doesNotMatch((await text(one, "/log"))[1], /of b/);
});

test("a stream's page leads to the event that failed, and tells what became of the one that is open", async () => {
  const { handler, inspector } = await shopWindow({ authorize: () => "read" }, 12);
  const { streams } = await inspector.parked({ consumer: { name: "invoices" } });
  const { streamId, position } = streams[0]!;
  const { events } = (await inspector.stream(streamId))!;
  const failed = events.find(({ stored }) => stored.position === position)!.stored;
  const page = async (query: string) =>
    await (await handler(get(`/stream?id=${streamId}${query}`))).text();
  const newest = await page("");
  assert.ok(newest.includes(
    `at=${failed.version}#v${failed.version}"><bdi>PaymentTaken</bdi>, version ${failed.version}</a>`,
  ));
  assert.match(newest, /See it among the parked/);
  const open = await page(`&at=${failed.version}`);
  assert.match(open, />invoices<[^]*?<span class="bad">parked<\/span>/);
  assert.match(await page("&at=1"), />order-list<[^]*?<span class="good">handled<\/span>/);
  assert.match(open, /State at version/);
  const event = await (await handler(get(`/event?id=${failed.id}`))).text();
  assert.match(event, />invoices<[^]*?<span class="bad">parked<\/span>/);
  const acting = await shopWindow({ authorize: () => "act", actions: true, aggregates: {} }, 12);
  const other = await (await acting.handler(get(`/stream?id=${streamId}`))).text();
  assert.match(other, /Look after it/);
  assert.match(other, /give the studio <code>aggregates: { order: … }/);
  assert.doesNotMatch(other, /State at version|Compare/);
});

test("a tenant is chosen from those that are given, and stays chosen", async () => {
  const store = new EventStore(memory(), { events: [Noted] });
  for (const tenantId of ["a", "b"]) {
    await store.scope({ tenantId }).append(`s:${tenantId}`, Noted(`mine: ${tenantId}`));
  }
  const options: StudioOptions = {
    authorize: () => "read",
    tenants: ["a", "b"],
    basePath: "/studio",
  };
  const page = async (path: string, handler = studio(store, options)) =>
    await (await handler(get(path))).text();
  const all = await page("/studio/log");
  assert.match(all, /<form class="tenants" action="\/studio\/log">/);
  assert.match(all, /<option value="" selected>All tenants<\/option><option value="a">/);
  assert.match(all, /mine: b[^]*mine: a/);
  const chosen = await page("/studio/log?tenant=b");
  assert.match(chosen, /<option value="b" selected>b<\/option>/);
  assert.match(chosen, /mine: b/);
  assert.doesNotMatch(chosen, /mine: a/);
  for (const link of chosen.matchAll(/ href="(\/studio[^"]*)"/g)) {
    assert.match(link[1]!, /[?;]tenant=b/);
  }
  // A form leaves out the query of its action.
  for (const [form] of chosen.matchAll(/<form class="(?:filters|find)"[^]*?<\/form>/g)) {
    assert.match(form, /<input type="hidden" name="tenant" value="b">/);
  }
  const find = await studio(store, options)(get("/studio/find?q=s:b&tenant=b"));
  assert.equal(find.headers.get("location"), "/studio/stream?tenant=b&id=s:b");
  assert.match(await page("/studio/streams?tenant=b"), /s:b/);
  // Others can be named all the same.
  assert.match(await page("/studio/?tenant=c"), /<option value="c" selected>/);

  const plain = studio(store, { authorize: () => "read" });
  assert.doesNotMatch(await page("/log?tenant=b", plain), /class="tenants"/);
  assert.throws(() => studio(store, { ...options, tenants: [1] as never }), TypeError);
});

test('data: "shape" shows no data on any page, but to who may reveal an event', async () => {
  const told: string[] = [];
  const { handler, inspector } = await shopWindow({
    authorize: () => "reveal",
    data: "shape",
    onAction: ({ name }: StudioAction) => void told.push(name),
  }, 3);
  const { events: [placed] } = await inspector.log({ types: ["OrderPlaced"], limit: 1 });
  const { id, streamId } = placed!.stored;
  const paths = [
    ...["/", "/log", `/stream?id=${streamId}&from=0&at=1`, `/event?id=${id}`, `/trace?id=${id}`],
    ...["/catalogue", "/parked", "/consumers", "/consumer?name=invoices"],
  ];
  for (const path of paths) {
    const text = await (await handler(get(path))).text();
    assert.doesNotMatch(text, /Ada|Grace|Alan|lamp|voucher is not|tag=|As a test/, path);
    assert.match(text, /Data by type and length/);
  }
  const event = await (await handler(get(`/event?id=${id}`))).text();
  assert.match(event, /string\(\d\)/);
  assert.deepEqual(told, []);
  const revealed = await (await handler(get(`/event?id=${id}&reveal=1`))).text();
  assert.match(revealed, /@example\.com/);
  assert.doesNotMatch(revealed, /string\(\d\)/);
  assert.deepEqual(told, ["reveal"]);
});

test("a database that cannot be asked is a page, and an error of the user's own is thrown", async () => {
  const driver = memory();
  const unreachable = new Proxy(driver, {
    get(target, name) {
      if (name === "settled") return () => Promise.reject(new ConnectionError());
      const member = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
  const down = new EventStore(unreachable, {
    events: [Noted],
  });
  const away = await studio(down, { authorize: () => "read" })(get("/"));
  assert.equal(away.status, 503);
  assert.equal(away.headers.get("retry-after"), "5");
  assert.match(await away.text(), /The database cannot be asked.*CONNECTION/s);
  const store = new EventStore(driver, { events: [Noted] });
  await store.append("s", Noted(1));
  const handler = studio(store, {
    authorize: () => "read",
    links() {
      throw new RangeError("mine");
    },
  });
  await assert.rejects(
    handler(get("/stream?id=s")),
    (error) => !isEventSourceryError(error) && error instanceof RangeError,
  );
});

test("a page is loaded again by itself on demand, for browsers without scripts", async () => {
  const { handler } = await shopWindow({}, 1);
  assert.equal((await handler(get("/?refresh=5"))).headers.get("refresh"), "5");
  assert.equal((await handler(get("/?refresh=0"))).headers.get("refresh"), "2");
  assert.equal((await handler(get("/"))).headers.get("refresh"), null);
});
