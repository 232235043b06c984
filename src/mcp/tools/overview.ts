import { isEventSourceryError } from "../../../mod.ts";
import { answerBytes, packed } from "../clip.ts";
import { anything, list, record, text, type Tool, tool, whole } from "../tool.ts";
import { instant, most } from "../view.ts";

export const overview: Tool = tool({
  name: "overview",
  title: "Overview",
  about:
    "Begin here: the end of the log, how fast it grew in the last hour, which consumers need attention, the most frequent types among the newest 10,000 positions, the streams that changed last, and the limits of these tools.",
  input: {},
  output: record({
    now: text,
    head: whole,
    "tenant?": text,
    "last_hour?": list(record({ since: text, until: text, events: whole })),
    "consumers?": list(record({
      name: text,
      version: whole,
      "tenant?": text,
      health: text,
      lag: whole,
      age_ms: whole,
      retrying: whole,
      parked: whole,
    })),
    "consumers_by_health?": anything,
    "types?": list(record({ type: text, events: whole, last_at: text })),
    "streams?": list(
      record({ stream: text, "tenant?": text, version: whole, type: text, at: text }),
    ),
    limits: anything,
  }),
  async run({ inspector, tenant, budget }) {
    const since = new Date(Date.now() - 3_600_000);
    const rate = await supported(inspector.rate({ since, buckets: 12 }));
    const consumers = await supported(inspector.consumers());
    const types = await inspector.types();
    const touched = await supported(inspector.touched({ limit: 10 }));
    const urgent = consumers?.toSorted((a, b) => b.age - a.age || b.parked - a.parked);
    return {
      now: instant(new Date()),
      head: await inspector.position(),
      ...(tenant === undefined ? {} : { tenant }),
      ...(rate && {
        last_hour: rate.map(({ since, until, events }) => ({
          ...{ since: instant(since), until: instant(until), events },
        })),
      }),
      ...(urgent && {
        consumers: packed(urgent.slice(0, 20), (it) => ({
          ...{ name: it.name, version: it.version, health: it.health, lag: it.lag },
          ...(it.tenantId === undefined ? {} : { tenant: it.tenantId }),
          ...{ age_ms: it.age, retrying: it.retrying, parked: it.parked },
        }), 8000),
        consumers_by_health: counts(urgent.map(({ health }) => health)),
      }),
      types: packed(types.types.slice(0, 20), ({ type, events, lastAt }) => ({
        ...{ type, events, last_at: instant(lastAt) },
      }), 8000),
      ...(touched && {
        streams: packed(touched.streams, ({ streamId, tenantId, version, type, updatedAt }) => ({
          ...{ stream: streamId, version, type, at: instant(updatedAt) },
          ...(tenantId === "" ? {} : { tenant: tenantId }),
        }), 8000),
      }),
      limits: { events: most, bytes: answerBytes, positions: budget },
    };
  },
});

function counts(words: readonly string[]): Readonly<Record<string, number>> {
  const found = new Map<string, number>();
  for (const word of words) found.set(word, (found.get(word) ?? 0) + 1);
  return Object.fromEntries(found);
}

/** Leaves out what the driver cannot tell. */
async function supported<T>(part: Promise<T>): Promise<T | undefined> {
  try {
    return await part;
  } catch (error) {
    if (isEventSourceryError(error, "UNSUPPORTED")) return undefined;
    throw error;
  }
}
