import type { Event, ExaminedTag, Examiner, StoredEvent } from "../../../mod.ts";
import { sleep } from "../../async/sleep.ts";
import type { Internals } from "../../store/internals.ts";
import type { Digest } from "./digest.ts";
import { checkCause, checkEvent, checkPlace, parseEvent } from "./event.ts";
import { type Finding, finding } from "./finding.ts";

/** How far a walk through the log has come. */
export interface VerifyProgress {
  /** The position up to which all was checked: the next run can go on from it. */
  readonly position: number;
  /** The position that it goes up to. */
  readonly until: number;
}

/** A walk through the log. */
interface Walk {
  /** Only what comes after this position. */
  readonly since: number;
  /** The position that it goes up to. */
  readonly until: number;
  /** How many events a second are read at most; undefined for as many as it can. */
  readonly rate: number | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onProgress: ((progress: VerifyProgress) => void) | undefined;
  /** Is given every event that can be parsed. */
  readonly digest: Digest | undefined;
  /** Whether sealed fields are read as their masks, whatever the store's keys are. */
  readonly masked: boolean;
}

/** A page of the log with what was found of its events besides decoding them. */
interface Page {
  readonly findings: readonly Finding[];
  /** Those that can be decoded. */
  readonly events: readonly StoredEvent[];
  /** How many events were read. */
  readonly read: number;
  readonly scanned: number;
}

// Of more, Postgres would compile the statement, which takes longer than it runs.
const pageSize = 1000;
const tagPageSize = 5000;

/** Walks through the log by position. */
export async function* checkLog(
  internals: Internals<Event, unknown>,
  walk: Walk,
): AsyncIterable<Finding> {
  const { session, shared: { driver, catalog } } = internals;
  const { until, rate, signal, onProgress, digest, masked } = walk;
  const decode = (event: StoredEvent) => catalog.decode(event, masked || undefined);
  const known = new Set<string>(); // types are told once, not for each of their events
  const begun = performance.now();
  let read = 0;
  for (let after = walk.since; after < until;) {
    signal?.throwIfAborted();
    const page = await readPage(internals, driver.examiner, after, until);
    yield* page.findings;
    await digest?.add(page.events);
    const events = masked ? page.events : await catalog.open(session(), page.events);
    for (const event of events) {
      for (const found of checkEvent(event, decode)) {
        const once = `${found.check} ${event.type} ${event.schemaVersion}`;
        const told = (found.check === "type" || found.check === "newer") && known.has(once);
        known.add(once);
        if (!told) yield found;
      }
    }
    after = page.scanned;
    read += page.read;
    onProgress?.({ position: after, until });
    if (rate !== undefined) {
      await sleep(read / rate * 1000 - (performance.now() - begun), undefined, signal);
    }
  }
}

async function readPage(
  { session }: Internals<Event, unknown>,
  examiner: Examiner | undefined,
  after: number,
  until: number,
): Promise<Page> {
  if (examiner === undefined) {
    const all = { tenantId: undefined, categories: undefined, types: undefined, tags: undefined };
    const { events, scanned } = await session().scan({ ...all, after, until, limit: pageSize });
    return { findings: [], events, read: events.length, scanned };
  }
  const { events, scanned } = await examiner.events({ after, until, limit: pageSize });
  const findings: Finding[] = [];
  const parsed: StoredEvent[] = [];
  for (const event of events) {
    findings.push(...checkPlace(event));
    const stored = parseEvent(event);
    if ("level" in stored) findings.push(stored);
    else {
      findings.push(...checkCause(event, stored.metadata));
      parsed.push(stored);
    }
  }
  return { findings, events: parsed, read: events.length, scanned };
}

/** Walks through the table of tags, for entries that no event has. */
export async function* checkTags(
  examiner: Examiner,
  { since, until, rate, signal }: Walk,
): AsyncIterable<Finding> {
  const begun = performance.now();
  let read = 0;
  let after: ExaminedTag | undefined;
  while (true) {
    signal?.throwIfAborted();
    const { surplus, last } = await examiner.tags({ after, limit: tagPageSize });
    for (const { tenantId, tag, position } of surplus) {
      if (position <= since || position > until) continue;
      const tenant = tenantId === "" ? "" : ` of tenant ${JSON.stringify(tenantId)}`;
      const where = `tag ${JSON.stringify(tag)}${tenant}, position ${position}`;
      const message = "The table of tags has an entry for it, and there is no event with this tag";
      yield finding("error", "surplus", where, message, "Delete it from event_tags");
    }
    if (last === undefined) return;
    after = last;
    read += tagPageSize;
    if (rate !== undefined) {
      await sleep(read / rate * 1000 - (performance.now() - begun), undefined, signal);
    }
  }
}
