import { consumers } from "../../../mod.ts";
import { type Command, command } from "../command.ts";
import { consumerName, consumerOf } from "../view/consumer.ts";
import { exit, Stop } from "../exit.ts";
import { parkedStream, parkingOf } from "../view/parking.ts";

/** Makes parked streams due. */
export const redrive: Command = command({
  summary: "have parked streams tried again, as if they had never failed",
  details: "The processes that run the consumer try them: this command runs no handler.",
  args: {
    consumer: { kind: "one", summary: "the consumer's name", completes: "consumers" },
    streams: { kind: "many", summary: "the streams that are tried", completes: "streams" },
  },
  options: {
    all: { kind: "flag", summary: "all that are parked" },
    group: { kind: "text", value: "name", summary: "all that failed alike, as parked shows it" },
    version: { kind: "number", summary: "the consumer's version, where there are several" },
  },
  async run({ args: { consumer, streams }, options, out, open }) {
    const { all, group } = options;
    if ([all, group !== undefined, streams.length > 0].filter(Boolean).length !== 1) {
      throw new Stop(exit.usage, "Name the streams, or use --all or --group");
    }
    const opened = await open();
    const { store, driver, tenantId } = opened;
    const info = consumerOf(await consumers(store), consumer, options.version);
    const { checkpoints, key } = parkingOf(opened, info);
    let count = 0;
    if (streams.length === 0 && tenantId === undefined) {
      count = group === undefined
        ? await checkpoints.redrive(key)
        : await checkpoints.redriveGroup?.(key, group, Number.MAX_SAFE_INTEGER) ?? 0;
    } else {
      const parked = await checkpoints.parked(key);
      const chosen = streams.length > 0
        ? streams.map((stream) => parkedStream(parked, stream, tenantId))
        : parked.filter((stream) =>
          stream.tenantId === tenantId && (group === undefined || stream.fingerprint === group)
        );
      for (const stream of chosen) count += await checkpoints.redrive(key, stream);
    }
    driver.notifier?.notify();
    if (out.json) await out.value({ consumer, version: info.version, redriven: count });
    if (count === 0) {
      const which = group === undefined ? "" : ` in group ${group}`;
      throw new Stop(exit.nothing, `${consumerName(info)} has nothing parked${which}`);
    }
    out.note(
      `${consumerName(info)}: ${count} ${count === 1 ? "stream is" : "streams are"} due now`,
    );
  },
});
