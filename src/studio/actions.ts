import { type EventStore, forgetConsumer, Projection, type StreamKey } from "../../mod.ts";
import type { InspectedParking } from "../inspect/parked.ts";
import { isSame, namedConsumer } from "./view/consumer.ts";
import type { Rebuilds } from "./rebuilds.ts";
import type { ActionName, Query, View } from "./view/view.ts";

/** What actions work on. */
interface Workshop {
  readonly store: EventStore;
  readonly rebuilds: Rebuilds;
  /** Tells the application what is about to be done. */
  readonly announce: (
    name: ActionName,
    consumer: { readonly name: string; readonly version: number },
    streams: readonly StreamKey[],
  ) => Promise<void>;
}

/** Where a visitor goes after an action, and what is told there. */
interface Outcome {
  readonly page: string;
  readonly query: Query;
}

/** Does what a form asks for; undefined if there is nothing that it could be done to. */
export async function perform(
  name: ActionName,
  form: View,
  workshop: Workshop,
): Promise<Outcome | undefined> {
  const wanted = namedConsumer(form);
  if (wanted === undefined) return undefined;
  const { rebuilds, announce, store } = workshop;
  const query = {
    name: wanted.name,
    version: wanted.version === 1 ? undefined : wanted.version,
    of: wanted.tenantId,
  };
  if (name === "forget") {
    await announce(name, wanted, []);
    const scoped = wanted.tenantId === undefined
      ? store
      : store.scope({ tenantId: wanted.tenantId });
    await forgetConsumer(scoped, wanted);
    return { page: "/consumers", query: { notice: "forgotten" } };
  }
  const consumer = form.consumer(wanted);
  if (consumer === undefined) return undefined;
  if (name === "rebuild") {
    if (!(consumer instanceof Projection)) return undefined;
    if (rebuilds.isRunning(consumer)) return { page: "/consumer", query };
    await announce(name, wanted, []);
    rebuilds.begin(consumer);
    return { page: "/consumer", query };
  }
  const parked = await waiting(
    form,
    (row) =>
      isSame({ name: row.consumer, version: row.version, tenantId: row.consumerTenantId }, wanted),
  );
  if (name === "redrive") {
    const streams = parked.map(keyOf);
    await announce(name, wanted, streams);
    const group = form.param("stream") === undefined && form.param("group");
    let count = 0;
    if (group && group !== "none") {
      count = await consumer.redrive({ group, limit: Math.max(1, streams.length) });
    } else for (const stream of streams) count += await consumer.redrive(stream);
    return { page: "/parked", query: { notice: "redriven", count } };
  }
  const [row] = parked;
  if (row === undefined) return { page: "/parked", query: { notice: "gone" } };
  const stream = keyOf(row);
  if (form.param("typed") !== row.streamId) {
    const { streamId, tenantId } = stream;
    return {
      page: "/discard",
      query: { ...query, stream: streamId, tenant: tenantId || undefined, notice: "mistyped" },
    };
  }
  await announce(name, wanted, [stream]);
  const done = await consumer.discard(stream, { all: form.param("all") !== undefined });
  return { page: "/parked", query: { notice: done ? "discarded" : "gone" } };
}

/** Finds the parked streams that a form names: one, or all of a group, or with the same error where there is no group. */
async function waiting(
  form: View,
  isOf: (row: InspectedParking) => boolean,
): Promise<readonly InspectedParking[]> {
  const stream = form.param("stream");
  const group = form.param("group");
  const isWanted = stream === undefined
    ? group === undefined
      ? () => false
      : (row: InspectedParking) =>
        group === "none" ? (row.error ?? "") === (form.param("error") ?? "") : row.group === group
    : (row: InspectedParking) => row.streamId === stream && row.tenantId === (form.tenant ?? "");
  const name = form.param("name")!;
  const found: InspectedParking[] = [];
  let after: InspectedParking | undefined;
  do {
    const page = await form.registry.parked({ consumer: { name }, after, limit: 1000 });
    found.push(...page.streams.filter((row) => isOf(row) && isWanted(row)));
    after = page.next && page.streams.at(-1);
  } while (after !== undefined);
  return found;
}

function keyOf({ tenantId, streamId }: StreamKey): StreamKey {
  return { tenantId, streamId };
}
