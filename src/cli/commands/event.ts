import { type Command, command } from "../command.ts";
import { eventOf, shownEvent, writeDeliveries, writeEvent } from "../view/event.ts";

/** Shows one event. */
export const event: Command = command({
  summary: "show one event, and what became of it at each consumer that takes it",
  details:
    "A consumer that is past an event has handled it, unless it was skipped or given up, or the consumer began later.",
  args: { id: { kind: "one", summary: "the event's id, or its place in a stream: order:42@3" } },
  async run({ args: { id }, out, open }) {
    const { inspect } = await open();
    const inspector = inspect();
    const found = await eventOf(inspector, id);
    const deliveries = await inspector.deliveries(found.stored);
    const shown = shownEvent(found);
    if (out.json) {
      const consumers = deliveries.map((
        { consumerTenantId, consumer, version, state, parking },
      ) => ({
        ...{ name: consumer, version, tenantId: consumerTenantId, state },
        error: parking?.error,
      }));
      return await out.value({ ...shown, consumers });
    }
    writeEvent(shown, out);
    writeDeliveries(deliveries, out);
  },
});
