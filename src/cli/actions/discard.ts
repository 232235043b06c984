import { consumers } from "../../../mod.ts";
import { type Command, command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { consumerName, consumerOf } from "../view/consumer.ts";
import { shownEvent, writeEvent } from "../view/event.ts";
import { exit, Stop } from "../exit.ts";
import { parkedStream, parkingOf } from "../view/parking.ts";

/** Gives up an event that a parked stream waits for. */
export const discard: Command = command({
  summary: "give up the event that a parked stream waits for",
  details:
    "It shows the event first, and asks. The event stays in the store; this consumer never handles it, and goes on with the next of the stream.",
  args: {
    consumer: { kind: "one", summary: "the consumer's name", completes: "consumers" },
    stream: { kind: "one", summary: "the parked stream", completes: "streams" },
  },
  options: {
    "all-waiting": { kind: "flag", summary: "give up all events that wait in the stream by now" },
    version: { kind: "number", summary: "the consumer's version, where there are several" },
    yes: { kind: "flag", summary: "do not ask" },
  },
  async run({ args, options, ...tools }) {
    const { out } = tools;
    const opened = await tools.open();
    const { store, driver, tenantId } = opened;
    const info = consumerOf(await consumers(store), args.consumer, options.version);
    const { checkpoints, key } = parkingOf(opened, info);
    const parked = parkedStream(await checkpoints.parked(key), args.stream, tenantId);
    const { streamId, position, attempts, error } = parked;
    const all = options["all-waiting"];
    const label = consumerName(info);
    const inspector = opened.inspect({}, parked.tenantId);
    const { events: [event] } = await inspector.log({ streamId, after: position - 1, limit: 1 });
    if (error === undefined || event === undefined) {
      throw new Stop(exit.nothing, `${streamId} waits for no event that has failed since`);
    }
    if (!out.json) writeEvent(shownEvent(event), out);
    const often = attempts === 0 ? "" : `, after attempt ${attempts}`;
    out.note(`The last error of ${label}${often}: ${error}`);
    const what = all ? "this event and all that wait behind it" : "this event";
    await confirm(tools, options.yes, `${label} never handles ${what}.`, streamId);
    const discarded = await checkpoints.discard(key, parked, all);
    driver.notifier?.notify();
    if (out.json) {
      const { version } = info;
      await out.value({ consumer: args.consumer, version, streamId, position, discarded });
    }
    if (!discarded) {
      throw new Stop(exit.nothing, `${streamId} waits for no event that has failed since`);
    }
    out.note(
      `${label} goes on in ${streamId} ${all ? "after what waited" : "with the next event"}`,
    );
  },
});
