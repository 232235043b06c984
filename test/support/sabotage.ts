import type {
  AppendOutcome,
  AppendRequest,
  Checkpoints,
  Driver,
  NewEvent,
  Session,
  StoredEvent,
  StreamWrite,
} from "event-sourcery";
import { memory } from "event-sourcery/memory";

/** What is wrong with a driver: replaces operations of a session, `depth` transactions deep. */
export type Sabotage = (session: Session, depth: number) => Partial<Session>;

/** Makes an in-memory driver that breaks a promise. */
export function sabotaged(sabotage: Sabotage): Driver {
  const driver = memory();
  const { capabilities } = driver;
  return {
    ...wrap(driver, sabotage, 0),
    capabilities,
    migrate: () => driver.migrate(),
    schema: driver.schema && (() => driver.schema!()),
    repairPosition: () => driver.repairPosition(),
    using: (db) => wrap(driver.using(db as undefined), sabotage, 0),
  };
}

function wrap(session: Session, sabotage: Sabotage, depth: number): Session {
  return {
    db: session.db,
    checkpoints: session.checkpoints,
    snapshots: session.snapshots,
    keys: session.keys,
    inbox: session.inbox,
    schedule: session.schedule,
    append: (requests) => session.append(requests),
    load: (query) => session.load(query),
    scan: (query) => session.scan(query),
    query: (query) => session.query!(query),
    settled: () => session.settled(),
    poll: session.poll && ((seen) => session.poll!(seen)),
    find: session.find && ((tenantId, id) => session.find!(tenantId, id)),
    correlated: session.correlated && ((query) => session.correlated!(query)),
    probe: session.probe && ((positions) => session.probe!(positions)),
    streams: (query) => session.streams(query),
    delete: (tenantId, streamId) => session.delete(tenantId, streamId),
    blockAppends: () => session.blockAppends(),
    transaction: (work) => session.transaction((inner) => work(wrap(inner, sabotage, depth + 1))),
    ...sabotage(session, depth),
  };
}

/** Changes what consumers write and read. */
export function keeping(change: (checkpoints: Checkpoints) => Partial<Checkpoints>): Sabotage {
  return (session) => {
    const own = session.checkpoints!;
    const kept: Checkpoints = {
      register: (key, definition) => own.register(key, definition),
      claim: (key, owner, lease) => own.claim(key, owner, lease),
      check: (key, epoch, lease) => own.check(key, epoch, lease),
      advance: (key, epoch, progress) => own.advance(key, epoch, progress),
      lanes: (key) => own.lanes(key),
      parked: (key, lane) => own.parked(key, lane),
      redrive: (key, stream) => own.redrive(key, stream),
      discard: (key, stream, all) => own.discard(key, stream, all),
      rewind: (key, position, replay) => own.rewind(key, position, replay),
      redefine: (key, epochs, definition) => own.redefine(key, epochs, definition),
      refilter: (key, filter) => own.refilter(key, filter),
      due: () => own.due(),
    };
    return { checkpoints: { ...kept, ...change(own) } };
  };
}

/** Changes each write on its way in. */
export function writing(change: (write: StreamWrite) => Partial<StreamWrite>): Sabotage {
  return requesting(({ writes }) => ({
    writes: writes.map((write) => ({ ...write, ...change(write) })),
  }));
}

/** Changes each event on its way in. */
export function storing(change: (event: NewEvent) => Partial<NewEvent>): Sabotage {
  return writing(({ events }) => ({
    events: events.map((event) => ({ ...event, ...change(event) })),
  }));
}

/** Changes each request on its way in. */
export function requesting(change: (request: AppendRequest) => Partial<AppendRequest>): Sabotage {
  return (session) => ({
    append: (requests) =>
      session.append(requests.map((request) => ({ ...request, ...change(request) }))),
  });
}

/** Changes what each request leads to; may append more. */
export function answering(
  change: (
    outcome: AppendOutcome,
    request: AppendRequest,
    session: Session,
    depth: number,
  ) => AppendOutcome | Promise<AppendOutcome>,
): Sabotage {
  return (session, depth) => ({
    async append(requests) {
      const outcomes = await session.append(requests);
      return await Promise.all(
        outcomes.map((outcome, index) => change(outcome, requests[index]!, session, depth)),
      );
    },
  });
}

/** Changes each event on its way out. */
export function reading(change: (event: StoredEvent) => Partial<StoredEvent>): Sabotage {
  const changed = (events: readonly StoredEvent[]) =>
    events.map((event) => ({ ...event, ...change(event) }));
  return (session) => ({
    async load(query) {
      const { events, more } = await session.load(query);
      return { events: changed(events), more };
    },
    async scan(query) {
      const { events, scanned } = await session.scan(query);
      return { events: changed(events), scanned };
    },
  });
}

/** Changes the names of streams everywhere on their way in, as a careless column would. */
export function renaming(rename: (name: string) => string): Sabotage {
  return (session) => ({
    append: (requests) =>
      session.append(requests.map((request) => ({
        ...request,
        writes: request.writes.map((write) => ({ ...write, streamId: rename(write.streamId) })),
      }))),
    load: (query) => session.load({ ...query, streamId: rename(query.streamId) }),
    delete: (tenantId, streamId) => session.delete(tenantId, rename(streamId)),
  });
}
