// A worker that is a process of its own: `relay` and an errand as JSON. It ends when its stdin does.
import {
  type Checkpoints,
  type Consumer,
  type ConsumerOptions,
  defineEvent,
  type Driver,
  EventStore,
  Outbox,
  Projection,
  type RecordedEvent,
  type Session,
} from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { postgres } from "event-sourcery/postgres";
import { createClient } from "@libsql/client";
import { drizzle as libsqlHandle } from "drizzle-orm/libsql";
import { drizzle as nodeHandle } from "drizzle-orm/node-postgres";
import { drizzle as postgresHandle } from "drizzle-orm/postgres-js";
import { sql } from "drizzle-orm";
import process from "node:process";
import { fileURLToPath } from "node:url";
import connect from "postgres";
import { collect } from "./collect.ts";
import { note } from "./journal.ts";
import { openPool } from "./pool.ts";

/** The event of all histories here. */
export const Noted = defineEvent<number>()("Noted");

/** Where a worker can be told to stand still. */
export type Point = "claimed" | "scanned" | "handling" | "handled" | "writing" | "written";

/** What a worker has to do. */
export interface Errand {
  readonly worker: string;
  /** With node-postgres instead of postgres.js, whose transactions end the process when their connection was ended. */
  readonly engine: "postgres" | "libsql" | "node-postgres";
  readonly url: string;
  readonly journal: string;
  /** What it runs: an outbox, or a projection that keeps the versions it has seen in the table `model`. */
  readonly kind: "outbox" | "projection";
  readonly options: ConsumerOptions;
  /** Freezes the process when it comes to a point for the nth time. */
  readonly freeze?: { readonly at: Point; readonly nth: number };
  /** How long its handler takes, in milliseconds. */
  readonly slow?: number;
  /** Ends the process when it comes to an event with this number. */
  readonly exit?: number;
  /** How far its clock is ahead, in milliseconds. */
  readonly ahead?: number;
  /** How many connections it may have. */
  readonly connections?: number;
}

/** A store, and how to close it. */
export interface Connected {
  readonly store: EventStore<ReturnType<typeof Noted>>;
  readonly driver: Driver;
  /** Runs a statement through a handle of this engine. */
  readonly execute: (db: unknown, statement: ReturnType<typeof sql>) => Promise<readonly unknown[]>;
  readonly close: () => Promise<void>;
}

/** Opens a store. */
export function open(
  engine: Errand["engine"],
  url: string,
  wrap: (driver: Driver) => Driver = (driver) => driver,
  max: number = 4,
  busyTimeout: number = 5000,
): Connected {
  const events = [Noted] as const;
  if (engine === "libsql") {
    const client = createClient({ url });
    const db = libsqlHandle(client);
    const driver = libsql(db, { busyTimeout });
    return {
      driver,
      store: new EventStore(wrap(driver), { events }),
      execute: async (handle, statement) => await (handle as typeof db).all(statement),
      async close() {
        client.close();
        collect();
      },
    };
  }
  if (engine === "node-postgres") {
    const { pool, close } = openPool(url, max);
    const db = nodeHandle(pool);
    const driver = postgres(db, { busyTimeout });
    return {
      driver,
      store: new EventStore(wrap(driver), { events }),
      execute: async (handle, statement) => (await (handle as typeof db).execute(statement)).rows,
      close,
    };
  }
  const client = connect(url, { max, onnotice: () => {} });
  const db = postgresHandle(client);
  const driver = postgres(db, { busyTimeout });
  return {
    driver,
    store: new EventStore(wrap(driver), { events }),
    execute: async (handle, statement) => await (handle as typeof db).execute(statement),
    close: () => client.end({ timeout: 1 }),
  };
}

/** Makes the consumer of an errand, which notes what it does. */
export function consumer(errand: Errand): { consumer: Consumer } & Connected {
  const { worker, engine, url, journal, kind, options, freeze, slow = 0 } = errand;
  let times = 0;
  const reach = (point: Point) => {
    if (point !== freeze?.at || ++times !== freeze.nth) return;
    note(journal, { what: "reached", worker, point });
    note(journal, { what: "stopped", worker });
    process.kill(process.pid, "SIGSTOP");
  };
  const connected = open(
    engine,
    url,
    (driver) => watched(driver, errand, reach),
    errand.connections,
  );
  const handle = async (
    { id, streamId, version, position, data }: RecordedEvent<ReturnType<typeof Noted>>,
    effect: () => Promise<unknown>,
  ) => {
    reach("handling");
    if (slow > 0) await new Promise((resolve) => setTimeout(resolve, slow));
    if (data === errand.exit) {
      note(journal, { what: "killed", worker });
      process.exit(1);
    }
    await effect();
    note(journal, { what: "delivered", worker, event: { id, streamId, version, position } });
    reach("handled");
  };
  const { store, execute } = connected;
  const made = kind === "outbox"
    ? new Outbox(store, { ...options, publisher: (event) => handle(event, async () => {}) })
    : new Projection(store, {
      ...options,
      concurrency: 1,
      name: "model",
      handlers: {
        Noted: (event, { db }) =>
          handle(event, () =>
            execute(
              db,
              sql`insert into model (stream_id, seen)
              values (${event.streamId}, ${String(event.version)})
              on conflict (stream_id) do update set seen = model.seen || ',' || excluded.seen`,
            )),
      },
    });
  return { ...connected, consumer: made };
}

function watched(driver: Driver, errand: Errand, reach: (point: Point) => void): Driver {
  const checkpoints = watchedCheckpoints(driver.checkpoints!, errand, reach, true);
  return replace(driver, {
    checkpoints,
    async scan(query) {
      const page = await driver.scan(query);
      if (page.events.length > 0) reach("scanned");
      return page;
    },
    transaction: (work) =>
      driver.transaction((session: Session) => {
        const inner = watchedCheckpoints(session.checkpoints!, errand, reach, false);
        return work(replace(session, { checkpoints: inner }));
      }),
  });
}

function watchedCheckpoints(
  checkpoints: Checkpoints,
  { worker, journal }: Errand,
  reach: (point: Point) => void,
  durable: boolean,
): Checkpoints {
  return replace(checkpoints, {
    async claim(...given) {
      const claimed = await checkpoints.claim(...given);
      if (claimed !== undefined) reach("claimed");
      return claimed;
    },
    async check(...given) {
      const held = await checkpoints.check(...given);
      if (!held) note(journal, { what: "refused", worker });
      return held;
    },
    async advance(lane, epoch, progress) {
      reach("writing");
      const written = await checkpoints.advance(lane, epoch, progress);
      if (!written) note(journal, { what: "refused", worker });
      else if (durable) note(journal, { what: "wrote", worker, progress });
      reach("written");
      return written;
    },
  });
}

/** An object with some members replaced; the others are called on the object itself. */
export function replace<T extends object>(whole: T, parts: Partial<T>): T {
  return new Proxy(whole, {
    get(target, key) {
      const value: unknown = Reflect.get(key in parts ? parts : target, key, target);
      return typeof value === "function" && !(key in parts) ? value.bind(target) : value;
    },
  });
}

async function main(errand: Errand): Promise<void> {
  const { worker, journal, ahead = 0 } = errand;
  const now = Date.now;
  Date.now = () => now() + ahead;
  const { consumer: running, close } = consumer(errand);
  const stop = new AbortController();
  process.stdin.on("end", () => stop.abort()).resume();
  await running.run({
    signal: stop.signal,
    pollInterval: 50,
    onError: (error) => note(journal, { what: "failed", worker, error: String(error) }),
  });
  await close();
  process.exit(0);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main(JSON.parse(process.argv[2]!));
