import {
  type Consumer,
  type ConsumerOptions,
  type Driver,
  EventStore,
  Outbox,
  type PublisherContext,
  type RecordedEvent,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { Journal } from "./journal.ts";
import { Noted } from "./relay.ts";

type Note = RecordedEvent<ReturnType<typeof Noted>>;

/** A store in this process, and outboxes that note what they have sent. */
export interface Desk {
  readonly driver: Driver;
  readonly store: EventStore<ReturnType<typeof Noted>>;
  readonly journal: Journal;
  /** Publishes numbers to a stream; gives the last position. */
  readonly commit: (streamId: string, ...numbers: readonly number[]) => Promise<number>;
  /** Makes an outbox, which does something before an event is sent. */
  readonly outbox: (
    options: ConsumerOptions,
    before: (event: Note, context: PublisherContext) => unknown,
  ) => Consumer;
  /** The numbers that were sent, of one stream or of all. */
  readonly sent: (streamId?: string) => readonly number[];
}

/** Makes a desk, on a store in memory unless another is given. */
export function desk(driver: Driver = memory(), journal: Journal = new Journal()): Desk {
  const store = new EventStore(driver, { events: [Noted] });
  const sent: Note[] = [];
  let workers = 0;
  return {
    driver,
    store,
    journal,
    async commit(streamId, ...numbers) {
      const events = numbers.map((number) => Noted(number));
      journal.note({ what: "committing", ids: events.map(({ id }) => id) });
      return (await store.publish(streamId, events)).position;
    },
    outbox(options, before) {
      const worker = `worker ${++workers}`;
      return new Outbox(store, {
        ...options,
        async publisher(event, context) {
          await before(event, context);
          sent.push(event);
          const { id, streamId, version, position } = event;
          journal.note({ what: "delivered", worker, event: { id, streamId, version, position } });
        },
      });
    },
    sent: (streamId) =>
      sent.filter((event) => streamId === undefined || event.streamId === streamId)
        .map(({ data }) => data),
  };
}
