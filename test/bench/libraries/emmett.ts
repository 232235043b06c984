import {
  getPostgreSQLEventStore,
  postgreSQLEventStoreConsumer,
} from "@event-driven-io/emmett-postgresql";
import { type Library, type Order, order, type Place } from "../library.ts";

// Its types ask for an index signature, which a type has and an interface has not.
type Placed = { readonly type: "Placed"; readonly data: { [Key in keyof Order]: Order[Key] } };

/** Emmett, as it is set by default. */
export function open({ url }: Place): Promise<Library> {
  const store = getPostgreSQLEventStore(url);
  const placed = (count: number): Placed => ({ type: "Placed", data: order(count) });
  const load = async (stream: string) => {
    const { events, currentStreamVersion } = await store.readStream<Placed>(stream);
    return { events, currentStreamVersion };
  };
  return Promise.resolve({
    migrate: () => store.schema.migrate(),
    append: (stream, from, count) =>
      store.appendToStream<Placed>(
        stream,
        Array.from({ length: count }, (_, n) => placed(from + n)),
      ),
    load: async (stream) => (await load(stream)).events.map(({ data }) => data),
    async command(stream) {
      while (true) {
        const { events, currentStreamVersion } = await load(stream);
        try {
          return await store.appendToStream<Placed>(stream, [placed(events.length)], {
            expectedStreamVersion: currentStreamVersion,
          });
        } catch (error) {
          if (!/Expected ?version|Concurrency/i.test(`${(error as Error).name} ${error}`)) {
            throw error;
          }
        }
      }
    },
    async consume(handle, { name }) {
      const consumer = postgreSQLEventStoreConsumer<Placed>({
        connectionString: url,
        stopWhen: { noMessagesLeft: true },
      });
      consumer.reactor<Placed>({
        processorId: name,
        eachMessage: ({ data, metadata }) => handle(metadata.streamName, data),
      });
      await consumer.start();
      await consumer.close();
    },
    async follow(handle, signal) {
      const consumer = postgreSQLEventStoreConsumer<Placed>({ connectionString: url });
      consumer.reactor<Placed>({
        processorId: "follower",
        eachMessage: ({ data, metadata }) => handle(metadata.streamName, data),
      });
      signal.addEventListener("abort", () => void consumer.stop());
      await consumer.start();
      await consumer.close();
    },
    send: (stream, data) => store.appendToStream<Placed>(stream, [{ type: "Placed", data }]),
    close: () => store.close(),
  });
}
