import type { Catalog } from "../codec/catalog.ts";
import type { Session } from "../driver/driver.ts";
import type { Event, RecordedEvent } from "../event/event.ts";
import type { Trace, TraceNode } from "./reader.ts";
import { checkName } from "../errors/check.ts";
import { UnsupportedError } from "../errors/driver.ts";

/** The greatest number of events of a trace. */
const most = 10_000;
const pageSize = 1000;

/** Reads a flow page by page, and builds its trees; see `EventReader.trace`. */
export async function readTrace<E extends Event>(
  session: Session<unknown>,
  catalog: Catalog<E>,
  tenantId: string,
  correlationId: string,
): Promise<Trace<E> | undefined> {
  checkName("correlationId", correlationId);
  if (session.correlated === undefined) {
    throw new UnsupportedError("trace a flow", "its driver has no `correlated`");
  }
  const events: RecordedEvent<E>[] = [];
  let more = true;
  while (more && events.length <= most) {
    const after = events.at(-1)?.position ?? 0;
    const limit = Math.min(pageSize, most + 1 - events.length);
    const page = await session.correlated({ tenantId, correlationId, after, limit });
    events.push(...await catalog.decodeAll(session, page.events));
    more = page.more;
  }
  if (events.length === 0) return undefined;
  const complete = events.length <= most;
  const shown = events.slice(0, most);
  return { correlationId, events: shown.length, complete, roots: treesOf(shown) };
}

/** Puts each event below its cause; one whose cause is not among the earlier events is a root, so that trees end. */
function treesOf<E extends Event>(events: readonly RecordedEvent<E>[]): readonly TraceNode<E>[] {
  const roots: TraceNode<E>[] = [];
  const lists = new Map<string, TraceNode<E>[]>();
  for (const event of events) {
    const effects: TraceNode<E>[] = [];
    const { causationId = "" } = event.metadata;
    (lists.get(causationId) ?? roots).push({ event, effects });
    lists.set(event.id, effects);
  }
  return roots;
}
