// A Worker with an event store; `worker.test.ts` bundles it in a stranger's project and asks it.
import { drizzle } from "drizzle-orm/libsql/web";
import { defineEvent, type EventOf, EventStore, isEventSourceryError } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { webhook } from "event-sourcery/publishers";
import { studio } from "event-sourcery/studio";

/** What is given to the Worker. */
export interface Environment {
  readonly url: string;
  readonly prefix: string;
}

const Paid = defineEvent<{ readonly cents: bigint; readonly at: Date }>()("Paid");
const Sent = defineEvent("Sent");
const events = [Paid, Sent];
type OrderEvent = EventOf<typeof Paid> | EventOf<typeof Sent>;

export default {
  /** Answers what became of two orders. */
  async fetch(_: Request, { url, prefix }: Environment): Promise<Response> {
    const driver = libsql(drizzle({ connection: { url } }), { prefix });
    await driver.migrate();
    const store = new EventStore(driver, { events });
    const paid = Paid({ cents: 2n ** 64n, at: new Date(0) }, { tags: ["paid"] });
    const { version } = await store.append("order:1", [paid, Sent()], { expectedVersion: 0 });
    const conflict = await store.append("order:1", Sent(), { expectedVersion: 1 }).catch(codeOf);
    const reacting = new EventStore(driver, {
      events,
      subscriptions: { Paid: [async (_, { store }) => void await store.append("order:2", Sent())] },
    });
    await reacting.append("order:2", Paid({ cents: 1n, at: new Date(1) }));
    const tagged: string[] = [];
    for await (const { streamId } of store.readAll({ tags: ["paid"] })) tagged.push(streamId);
    const [first] = await store.load("order:1");
    let posted = "";
    const publish = webhook({
      ...{ events, source: "/worker", url: "https://partner.example" },
      secret: "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
      async fetch(url, { headers }) {
        posted = `${url} ${headers["webhook-signature"]?.slice(0, 3)}`;
        return new Response(null, { status: 204 });
      },
    });
    await publish(first!, { signal: new AbortController().signal, attempt: 1 });
    const browse = studio(store, { authorize: () => "read", title: "Worker" });
    const page = await browse(new Request("http://worker/stream?id=order:1"));
    return Response.json({
      posted,
      page: `${page.status} ${/<title>[^<]*/.exec(await page.text())?.[0]}`,
      version,
      conflict,
      first: (await store.load("order:1")).map(describe),
      second: (await store.load("order:2")).map(describe),
      tagged,
    });
  },
};

function describe(event: OrderEvent): string {
  return event.type === "Paid" ? `${event.data.cents} at ${event.data.at.toISOString()}` : "sent";
}

function codeOf(error: unknown): string {
  if (isEventSourceryError(error)) return error.code;
  throw error;
}
