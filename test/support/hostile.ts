import { memory } from "../../drivers/memory/mod.ts";
import { defineEvent, EventStore, PermanentError, Subscription } from "../../mod.ts";
import { studio, type StudioOptions } from "../../src/studio/mod.ts";

const evil = `"><script>alert(1)</script><img src=x onerror='alert(2)'>\u202e`;
const Noted = defineEvent<unknown>()("Noted");
const Evil = defineEvent<unknown>()(`Evil${evil}`);

/** A studio on a store where everything that a stranger can name is hostile. */
export async function hostile(options: Partial<StudioOptions> = {}) {
  const driver = memory();
  const other = new EventStore(driver, { events: [defineEvent<unknown>()(`Gone${evil}`)] });
  const store = new EventStore(driver, { events: [Noted, Evil], publishes: true });
  const stream = `order:${evil}`;
  const data = { [evil]: evil, list: [evil], date: new Date(0), text: "a\r\nb" };
  const init = {
    id: `id${evil}`,
    tags: [evil],
    metadata: { correlationId: `trace${evil}`, [evil]: evil },
  };
  await store.append(stream, Evil(data, init));
  await store.append(
    stream,
    Noted(evil, { metadata: { correlationId: `trace${evil}`, causationId: `id${evil}` } }),
  );
  await other.append("..", defineEvent<unknown>()(`Gone${evil}`)({ [evil]: 1 }));
  await store.scope({ tenantId: `tenant${evil}` }).append(stream, Noted({ evil }));
  const consumer = new Subscription(store, {
    name: `mails${evil}`,
    types: [Evil.type, Noted.type],
    handler() {
      throw new PermanentError(evil);
    },
  });
  await consumer.drain();
  const handler = studio(store, {
    authorize: () => "act",
    title: evil,
    consumers: [consumer],
    aggregates: { order: (events) => ({ [evil]: events.length, evil }) },
    actions: true,
    links: () => [{ text: evil, href: "javascript:alert(3)" }, {
      text: "Wiki",
      href: `https://wiki.example/${evil}`,
    }],
    ...options,
  });
  const q = encodeURIComponent;
  const [name, id, tenant] = [q(consumer.name), q(stream), q(`tenant${evil}`)];
  const paths = [
    "/",
    "/?window=7d",
    "/log",
    `/log?type=${q(evil)}&category=${q(evil)}&tag=${q(evil)}&at=${q(evil)}`,
    "/log?at=2026-01-01",
    "/streams",
    `/streams?prefix=${q(evil)}`,
    `/streams?prefix=order:&all=1&after=${q(evil)}`,
    `/stream?id=${id}`,
    `/stream?id=${id}&at=1&from=0`,
    `/stream?id=${id}&tenant=${tenant}`,
    "/stream?id=..",
    `/event?id=${q(`id${evil}`)}`,
    `/event?id=${q(evil)}`,
    `/trace?id=${q(`trace${evil}`)}`,
    "/consumers",
    `/consumer?name=${name}`,
    `/consumer?name=${q(evil)}`,
    "/parked",
    `/parked?consumer=${name}&after=${q(evil)}`,
    `/discard?name=${name}&stream=${id}`,
    `/discard?name=${name}&stream=${id}&tenant=${tenant}`,
    `/rebuild?name=${name}`,
    "/catalogue",
    `/find?q=${q(evil)}`,
    `/${q(evil)}`,
    `/stream?id=${"x".repeat(600)}`,
    "/stream?id=%00",
    `/log?before=${q(evil)}&notice=${q(evil)}`,
  ];
  return { driver, store, handler, consumer, paths };
}
