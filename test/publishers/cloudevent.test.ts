import type { RecordedEvent } from "event-sourcery";
import { defineEvent, EventStore, isEventSourceryError, Outbox } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import { decodeEvent, encodeEvent, fromCloudEvent } from "event-sourcery/publishers";
import assert from "node:assert/strict";
import { test } from "node:test";
import { binary, type Encoded, structured } from "../../src/publishers/cloudevent.ts";
import { events, mixed, Placed, type Sent, Shipped, stored } from "../support/publishing.ts";

/** Every way that an encoded event travels. */
const ways: Readonly<Record<string, (event: RecordedEvent) => Encoded>> = {
  structured: (event) => structured(encodeEvent(events, event, "/shop")),
  "binary over HTTP": (event) => binary(encodeEvent(events, event, "/shop"), "ce-"),
  "binary over Kafka": (event) => binary(encodeEvent(events, event, "/shop"), "ce_"),
  "binary over AMQP": (event) => binary(encodeEvent(events, event, "/shop"), "cloudEvents:"),
};

for (const [way, encode] of Object.entries(ways)) {
  test(`decodeEvent() gives back an equal event when it comes ${way}`, async () => {
    const awkward = ["order:42", "a/b.c*>% é\n\"'"];
    const data = [mixed, null, undefined, "text", -0, [], { "a/b~": 1n, "\ud800": "\ud800" }];
    const found = await Promise.all(
      awkward.flatMap((streamId) => data.map((value) => stored(streamId, value))),
    );
    for (const event of found.flat()) {
      const { contentType, headers, body } = encode(event);
      for (const [name, value] of Object.entries(headers)) {
        if (name.startsWith("ce-")) assert.match(value, /^[!-~]*$/);
      }
      assert.deepEqual(decodeEvent(events, { contentType, headers, body }), event);
      const asBytes = new TextEncoder().encode(body);
      const pairs = Object.entries({ ...headers, "Content-Type": contentType })
        .map(([name, value]) => [name, [value]] as const);
      assert.deepEqual(decodeEvent(events, { headers: pairs, body: asBytes }), event);
    }
  });
}

test("encodeEvent() fills the attributes that other systems read", async () => {
  const [event] = await stored();
  const { time, data, codec, ...attributes } = encodeEvent(events, event!, "/shop");
  assert.equal(time, event!.createdAt.toISOString());
  assert.deepEqual((data as Record<string, unknown>)["cents"], "18446744073709551616");
  assert.deepEqual(JSON.parse(String(codec))["/data/cents"], "bigint");
  assert.deepEqual(attributes, {
    ...{ specversion: "1.0", id: event!.id, source: "/shop", type: "Placed", subject: "order:42" },
    ...{ sequence: "0000000000000001", partitionkey: "order:42", position: "1", schemaversion: 1 },
    ...{ correlationid: "c", causationid: "d", traceparent: "00-a-b-01", tracestate: "\\u0000" },
    ...{ datacontenttype: "application/json", metadata: '{"user":"7"}', tags: '["a","ü"]' },
  });
});

test("encodeEvent() tells tenants apart", async () => {
  const store = new EventStore(memory(), { events });
  const encoded = await Promise.all(["a", "a/b"].map(async (tenantId) => {
    const { events: [event] } = await store.scope({ tenantId }).append("order:1", Shipped());
    const found = encodeEvent(events, event, "/shop");
    assert.deepEqual(decodeEvent(events, structured(found)), event);
    return found;
  }));
  assert.deepEqual(encoded.map(({ source }) => source), ["/shop#a", "/shop#a%2Fb"]);
  assert.deepEqual(encoded.map((event) => event["partitionkey"]), ["a/order:1", "a%2Fb/order:1"]);
  assert.deepEqual(encoded.map((event) => event["tenantid"]), ["a", "a/b"]);
});

test("decodeEvent() upcasts what an older release has encoded, and refuses a newer one's", async () => {
  const [event] = await stored("order:1", { cents: 900 });
  const message = structured(encodeEvent(events, event!, "/shop"));
  const Newer = defineEvent<{ euros: number }>()("Placed", {
    upcast: [(old) => ({ euros: (old as { cents: number }).cents / 100 })],
  });
  const { data, ...rest } = decodeEvent([Newer], message);
  assert.deepEqual(data, { euros: 9 });
  const current = encodeEvent([Newer], { data, ...rest }, "/shop");
  assert.throws(() => decodeEvent(events, current), { code: "NEWER_EVENT" });
});

test("decodeEvent() leaves the CloudEvent that it is given unchanged", async () => {
  const [event] = await stored("order:1", { lines: [new Date(0)] });
  const message = encodeEvent(events, event!, "/shop");
  const before = structuredClone(message);
  decodeEvent(events, message);
  assert.deepEqual(message, before);
  assert(!Object.isFrozen(message.data));
});

test("decodeEvent() says what is wrong with a message, and shows nothing of it", async () => {
  const [event] = await stored("order:1", { secret: new Date(0) });
  const good = encodeEvent(events, event!, "/shop");
  const bad: readonly [message: unknown, error: RegExp][] = [
    [{ body: "secret" }, /body is not JSON/],
    [{ body: "7" }, /no JSON object/],
    [{ body: "{}" }, /specversion/],
    [{ body: "", contentType: "application/cloudevents-batch+json" }, /batch/],
    [{ body: "", headers: { "ce-specversion": "0.3" } }, /specversion/],
    [{ body: JSON.stringify({ ...good, id: "" }) }, /no id/],
    [{ ...good, subject: undefined }, /"subject" is undefined/],
    [{ ...good, sequence: "secret" }, /"sequence" must be a whole number/],
    [{ ...good, sequence: "0" }, /"sequence" must be a whole number/],
    [{ ...good, metadata: "secret" }, /"metadata" is not JSON/],
    [{ ...good, metadata: "[]" }, /"metadata" holds no object/],
    [{ ...good, tags: "[7]" }, /"tags"\[0\] must be a string/],
    [{ ...good, codec: '{"/data/secret":"bigint"}' }, /data does not decode/],
    [{ ...good, time: "secret" }, /time cannot be read/],
    [{ ...good, type: "Other" }, /event type "Other"/],
  ];
  for (const [message, expected] of bad) {
    assert.throws(() => decodeEvent(events, message as typeof good), (error) => {
      assert(
        error instanceof TypeError || error instanceof RangeError || isEventSourceryError(error),
      );
      assert.match(error.message, expected);
      assert.doesNotMatch(error.message, /secret/);
      return true;
    });
  }
});

test("encodeEvent() takes sensitive fields as the outbox hands them over", async () => {
  const Joined = defineEvent<{ id: string; email: string }>()("Joined", {
    sensitive: { subject: ({ id }) => id, fields: { email: "[gone]" } },
  });
  const store = new EventStore(memory(), { events: [Joined], keys: subjectKeys() });
  await store.publish("user:1", Joined({ id: "1", email: "a@b.example" }));
  for (const [sensitive, email] of [["mask", "[gone]"], ["reveal", "a@b.example"]] as const) {
    const found: unknown[] = [];
    const publisher = (event: RecordedEvent) => {
      const message = JSON.stringify(encodeEvent([Joined], event, "/shop"));
      found.push(decodeEvent([Joined], { body: message }).data.email);
    };
    await new Outbox(store, { name: sensitive, sensitive, publisher }).drain();
    assert.deepEqual(found, [email]);
  }
});

test("encodeEvent() refuses types that it does not know, and sources that are none", async () => {
  const [event] = await stored();
  assert.throws(() => encodeEvent([Shipped], event!, "/shop"), { code: "UNKNOWN_EVENT_TYPE" });
  for (const source of ["", "/a b", "/shop#x"]) {
    assert.throws(() => encodeEvent(events, event!, source), TypeError);
  }
});

test("fromCloudEvent() reads what other systems send", () => {
  const base = { specversion: "1.0", id: "1", source: "/s", type: "t" };
  const body = JSON.stringify({ ...base, data_base64: "AP8=", datacontenttype: "image/png" });
  assert.deepEqual(fromCloudEvent({ body }).data, new Uint8Array([0, 255]));
  assert.throws(() => fromCloudEvent({ body: JSON.stringify({ ...base, data_base64: "%" }) }), {
    message: /base64/,
  });
  const headers = new Headers({ "Content-Type": "text/plain; charset=utf-8" });
  for (const [name, value] of Object.entries(base)) headers.set(`ce-${name}`, value);
  headers.set("ce-subject", "%E2%82%AC %");
  const text = fromCloudEvent({ headers, body: "hello" });
  assert.deepEqual([text.data, text.subject], ["hello", "%E2%82%AC %"]); // not percent-encoded
  headers.set("ce-subject", "%E2%82%AC");
  assert.equal(fromCloudEvent({ headers, body: "" }).subject, "€");
  assert(!("data" in fromCloudEvent({ headers, body: null })));
  const vendor = { headers, contentType: "application/vnd.acme+json", body: '{"a":1}' };
  assert.deepEqual(fromCloudEvent(vendor).data, { a: 1 });
});

test("decodeEvent() has the types of its list", async () => {
  const message = encodeEvent(events, (await stored())[1]!, "/shop");
  const event: Sent = decodeEvent(events, message);
  if (Shipped.is(event)) event.data satisfies undefined;
  assert(Shipped.is(event) && !Placed.is(event));
});
