import { type Command, command } from "../command.ts";
import type { StreamKey } from "../../../mod.ts";
import type { Inspector } from "../../inspect/mod.ts";
import { nameOf } from "../view/consumer.ts";
import { dataLine, shownEvent } from "../view/event.ts";
import { exit, type ExitCode, Stop } from "../exit.ts";
import type { Opened } from "../open.ts";
import type { Output } from "../output.ts";

/** Shows a stream: its events, or its state. */
export const show: Command = command({
  summary: "show the events of a stream, or its state",
  details:
    "`event` and `trace` take one of its events as `order:42@3`. States are made by `aggregates` of the configuration. As of an instant, a stream ends before the first event that was created later.",
  args: { stream: { kind: "one", summary: "the stream's id", completes: "streams" } },
  options: {
    from: { kind: "number", summary: "the first version (default 1)" },
    to: { kind: "number", summary: "the last version" },
    limit: { kind: "number", summary: "the most events (default 100)" },
    backwards: { kind: "flag", summary: "the newest events first" },
    state: { kind: "flag", summary: "show the state instead" },
    at: { kind: "date", summary: "the state as of this instant" },
  },
  async run({ args: { stream }, options, out, open }) {
    const opened = await open();
    if (options.state || options.at !== undefined) {
      return await showState(stream, { version: options.to, at: options.at }, opened, out);
    }
    const { from, to, limit = 100, backwards } = options;
    const inspector = opened.inspect();
    const found = await inspector.stream(stream, { from, to, limit, backwards });
    if (found === undefined) throw missing(stream);
    const events = found.events.map(shownEvent);
    if (out.json) {
      for (const event of events) await out.value(event);
    } else {
      const width = String(found.version).length;
      const types = Math.max(0, ...events.map(({ type }) => type.length));
      for (const event of events) {
        const { version, createdAt, type } = event;
        const head = `${String(version).padStart(width)}  ${out.time(createdAt)}`;
        const text = `${out.paint.bold(type)}${" ".repeat(types - type.length)}`;
        await out.line(`${head}  ${text}  ${dataLine(event, out)}`.trimEnd());
      }
    }
    const last = events.at(-1)?.version;
    if (last === undefined) {
      throw new Stop(
        exit.nothing,
        `${stream} has ${found.version} events, and none of these versions`,
      );
    }
    if (!found.complete) {
      out.note(`There are more: ${backwards ? `--to ${last - 1}` : `--from ${last + 1}`}`);
    }
    await noteParked(inspector, found.events[0]!.stored, out);
    return exit.done;
  },
});

/** Says which consumers the stream waits for, and why. */
async function noteParked(
  inspector: Inspector,
  { tenantId, streamId }: StreamKey,
  out: Output,
): Promise<void> {
  const { streams } = await inspector.parked({ stream: { tenantId, streamId } });
  for (const parking of streams) {
    const { position, error, dueAt } = parking;
    const how = dueAt === undefined ? "Parked" : "Retrying";
    out.note(
      `${how} in ${nameOf(parking)} at position ${position}${
        error === undefined ? "" : `: ${error}`
      }`,
    );
  }
}

async function showState(
  stream: string,
  asOf: { readonly version: number | undefined; readonly at: Date | undefined },
  { inspect, configured }: Opened,
  out: Output,
): Promise<ExitCode> {
  if (!configured) {
    throw new Stop(exit.usage, "A state needs aggregates: write an event-sourcery.config.ts");
  }
  const found = await inspect().state(stream, asOf);
  if (found === undefined) throw missing(stream);
  const { version, state, problem } = found;
  if (problem !== undefined) {
    throw new Stop(exit.failed, `Cannot show the state of ${stream}: ${problem.message}`);
  }
  if (out.json) await out.value({ streamId: stream, version, state });
  else {
    await out.line(`${out.paint.bold(stream)} at version ${version}`);
    await out.line(state === undefined ? "no state" : JSON.stringify(state, null, 2));
  }
  return exit.done;
}

function missing(stream: string): Stop {
  return new Stop(exit.nothing, `There is no stream ${stream}`);
}
