import type { InspectedParking, Inspector, ParkedCursor } from "../../inspect/mod.ts";
import { type Command, command } from "../command.ts";
import { consumersOf, nameOf } from "../view/consumer.ts";
import { exit } from "../exit.ts";
import type { Output } from "../output.ts";

/** The most streams that are read; more than a person goes through, and few enough to hold. */
const most = 10_000;
/** How many streams a page has. */
const page = 1000;

/** Lists parked streams. */
export const parked: Command = command({
  summary: "list what is parked: by consumer and cause, or each stream",
  details:
    "A stream is parked when one of its events fails. It is retried by itself, until it has failed as often as its consumer allows: then it waits for redrive or discard.",
  args: {
    consumer: {
      kind: "optional",
      summary: "only the streams of this consumer",
      completes: "consumers",
    },
  },
  options: {
    list: { kind: "flag", summary: "list each stream, as with --json" },
  },
  async run({ args: { consumer: name }, options, out, open }) {
    const { inspect } = await open();
    const inspector = inspect();
    if (name !== undefined) consumersOf(await inspector.consumers(), name);
    const streams = await read(inspector, name);
    if (out.json) {
      for (const stream of streams) await out.value(stream);
    } else if (streams.length > 0) {
      if (options.list) writeStreams(streams, out);
      else writeGroups(streams, out);
    }
    if (streams.length === most) out.note(`There are more than ${most}: these are the first`);
    if (streams.length > 0) return exit.done;
    out.error("Nothing is parked");
    return exit.nothing;
  },
});

async function read(
  inspector: Inspector,
  name: string | undefined,
): Promise<readonly InspectedParking[]> {
  const consumer = name === undefined ? undefined : { name };
  const streams: InspectedParking[] = [];
  let after: ParkedCursor | undefined;
  do {
    const found = await inspector.parked({ consumer, after, limit: page });
    streams.push(...found.streams);
    after = found.next;
  } while (after !== undefined && streams.length < most);
  return streams;
}

/** Writes streams that wait for one reason as one line. */
function writeGroups(streams: readonly InspectedParking[], out: Output): void {
  const groups = new Map<string, InspectedParking[]>();
  for (const stream of streams) {
    const key = JSON.stringify([nameOf(stream), stream.group ?? stream.error]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [stream]);
    else group.push(stream);
  }
  out.table(
    [
      ...["consumer", { right: "parked" }, { right: "retrying" }, "failed last", "group"],
      ...["for example", "error"],
    ],
    [...groups.values()].toSorted((a, b) => b.length - a.length).map((group) => {
      const retrying = group.filter(({ dueAt }) => dueAt !== undefined).length;
      const last = Math.max(...group.map(({ failedAt }) => failedAt.getTime()));
      const { streamId, error, group: name = "" } = group[0]!;
      return [
        nameOf(group[0]!),
        String(group.length - retrying),
        String(retrying),
        out.time(new Date(last)),
        name,
        streamId,
        errorLine(error, out),
      ];
    }),
  );
}

/** Writes a number that was counted up to 100. */
function countOf(behind: number | undefined): string {
  return behind === undefined ? "" : behind < 100 ? String(behind) : "100 or more";
}

function writeStreams(streams: readonly InspectedParking[], out: Output): void {
  out.table(
    [
      "consumer",
      "stream",
      { right: "position" },
      { right: "behind it" },
      { right: "attempts" },
      "next try",
      "failed last",
      "error",
    ],
    streams.map((stream) => [
      nameOf(stream),
      stream.tenantId === "" ? stream.streamId : `${stream.streamId} (${stream.tenantId})`,
      String(stream.position),
      countOf(stream.behind),
      String(stream.attempts),
      stream.dueAt === undefined ? "none" : out.time(stream.dueAt),
      out.time(stream.failedAt),
      errorLine(stream.error, out),
    ]),
  );
}

/** Errors may quote data, and be long: the first line of them, as far as it fits. */
function errorLine(error: string | undefined, out: Output): string {
  if (error === undefined) return "";
  const line = error.split("\n", 1)[0]!;
  return out.paint.red(line.length > 100 ? `${line.slice(0, 100)}…` : line);
}
