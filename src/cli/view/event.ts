import { isUnknown } from "../../event/unknown.ts";
import type { InspectedDelivery, InspectedEvent, Inspector } from "../../inspect/mod.ts";
import { plainOf } from "../../inspect/plain.ts";
import { exit, Stop } from "../exit.ts";
import type { Output } from "../output.ts";
import { nameOf } from "./consumer.ts";

/** An event as the command line shows it, plain JSON: decoded where the store can, else as it is stored. */
interface ShownEvent {
  readonly position: number;
  readonly tenantId: string;
  readonly streamId: string;
  readonly version: number;
  readonly type: string;
  readonly id: string;
  readonly createdAt: Date;
  readonly data: unknown;
  readonly metadata: unknown;
  readonly tags: readonly string[];
  /** The version of the type's schema that wrote it. */
  readonly schemaVersion: number;
  readonly published: boolean;
  /** Why the store cannot read it, so that it is shown as it is stored. */
  readonly problem: string | undefined;
}

/**
 * Finds an event by its id, or by its place in a stream, such as `order:42@3`.
 *
 * @throws {Stop} If there is none.
 */
export async function eventOf(inspector: Inspector, name: string): Promise<InspectedEvent> {
  const found = await inspector.event(name);
  if (found !== undefined) return found;
  const [, streamId, version] = /^(.+)@(\d{1,15})$/.exec(name) ?? [];
  if (streamId !== undefined) {
    const [from, to] = [Math.max(1, Number(version)), Number(version)];
    const stream = await inspector.stream(streamId, { from, to, limit: 1 });
    if (stream?.events[0] !== undefined) return stream.events[0];
  }
  const stream = await inspector.stream(name, { limit: 1 });
  throw new Stop(
    exit.nothing,
    stream === undefined
      ? `There is no event ${name}`
      : `${name} is a stream: name one of its events by its version, as ${name}@1`,
  );
}

/** Writes what became of an event at each consumer that takes it. */
export function writeDeliveries(deliveries: readonly InspectedDelivery[], out: Output): void {
  const { paint } = out;
  const names = deliveries.map(nameOf);
  const width = Math.max(0, ...names.map((name) => name.length));
  for (const [index, { state, parking }] of deliveries.entries()) {
    const words: Record<InspectedDelivery["state"], string> = {
      "handled": paint.green("handled"),
      "parked": `${paint.red("parked")}: ${parking?.error}`,
      "retrying": `${paint.yellow("retrying")}: ${parking?.error}`,
      "held up": paint.yellow(`held up by position ${parking?.position} of its stream`),
      "to come": "to come",
    };
    const head = index === 0 ? "consumers" : "";
    void out.line(`${head.padEnd(10)}${names[index]!.padEnd(width)}  ${words[state]}`);
  }
}

/** Returns what is shown of an event. */
export function shownEvent({ stored, event, problem }: InspectedEvent): ShownEvent {
  const { position, tenantId, streamId, version, id, schemaVersion, tags, published } = stored;
  const known = event !== undefined && !isUnknown(event);
  return {
    position,
    tenantId,
    streamId,
    version,
    type: known ? event.type : stored.type,
    id,
    createdAt: new Date(stored.createdAt),
    data: event === undefined ? stored.data : plainOf(event.data),
    metadata: event === undefined ? stored.metadata : plainOf(event.metadata),
    tags,
    schemaVersion,
    published,
    problem: problem?.message,
  };
}

/** How many characters of an event's data are shown in a line. */
const clipped = 160;

/** Returns the data of an event in one line, as far as it fits. */
export function dataLine({ data, problem }: ShownEvent, { paint }: Output): string {
  const text = JSON.stringify(data) ?? "";
  const shown = text.length > clipped ? `${text.slice(0, clipped)}…` : text;
  const parts = [shown && paint.dim(shown), problem && paint.red(problem)];
  return parts.filter((part) => part).join(" ");
}

/** Writes an event in full. */
export function writeEvent(shown: ShownEvent, out: Output): void {
  const { paint } = out;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["type", paint.bold(shown.type)],
    ["stream", `${shown.streamId}, version ${shown.version}`],
    ["tenant", shown.tenantId || undefined],
    ["position", String(shown.position)],
    ["created", out.time(shown.createdAt)],
    ["id", shown.id],
    ["schema", shown.schemaVersion === 1 ? undefined : `version ${shown.schemaVersion}`],
    ["tags", shown.tags.join(", ") || undefined],
    ["published", shown.published ? "yes: outboxes take it" : undefined],
    ["problem", shown.problem && paint.red(shown.problem)],
  ];
  for (const [name, text] of facts) {
    if (text !== undefined) void out.line(`${name.padEnd(10)}${text}`);
  }
  writeJson("data", shown.data, out);
  writeJson("metadata", shown.metadata, out);
}

function writeJson(name: string, value: unknown, out: Output): void {
  const text = JSON.stringify(value, null, 2);
  if (text !== undefined && text !== "{}") void out.line(`${name.padEnd(10)}${indent(text)}`);
}

/** Indents the lines after the first. */
function indent(text: string): string {
  return text.replaceAll("\n", `\n${" ".repeat(10)}`);
}
