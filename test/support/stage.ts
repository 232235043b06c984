import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { sql } from "drizzle-orm";
import type { Consumer, ConsumerOptions } from "event-sourcery";
import { Journal, until } from "./journal.ts";
import { createDatabase } from "./postgres.ts";
import { type Connected, consumer, type Errand, open } from "./relay.ts";
import { runtime } from "./root.ts";

/** What several processes share: a database with an event store, a table `model`, and a journal. */
export interface Stage extends Connected, AsyncDisposable {
  readonly engine: Errand["engine"];
  readonly url: string;
  readonly journal: Journal;
  /** What a worker is told when nothing else is said. */
  readonly errand: (worker: string, more?: Partial<Errand>) => Errand;
  /** Starts a worker. */
  readonly start: (worker: string, more?: Partial<Errand>) => Child;
  /** What the projection has seen: versions by stream. */
  readonly model: () => Promise<Readonly<Record<string, string>>>;
}

/** A worker that is a process of its own. */
export interface Child {
  readonly name: string;
  /** Ends it immediately, with kill -9. */
  readonly kill: () => Promise<void>;
  /** Freezes it where it is, and lets it go on. */
  readonly stop: () => void;
  readonly go: () => void;
  /** Tells it to finish. */
  readonly finish: () => Promise<void>;
  /** Resolves when it has ended in whatever way. */
  readonly ended: Promise<void>;
}

/** The databases that several processes can share. */
export const engines = ["postgres", "libsql"] as const;

/** What all workers here do: leases and pauses are short, so that tests are. */
export const options = {
  name: "worker",
  lease: 400,
  batchSize: 5,
  retry: { minDelay: 10, maxDelay: 100 },
} satisfies ConsumerOptions & { name: string };

/** Sets the stage. */
export async function stage(engine: Errand["engine"], busyTimeout?: number): Promise<Stage> {
  const { url, drop } = engine === "libsql" ? file() : await createDatabase();
  const journal = new Journal();
  const children: ChildProcess[] = [];
  const connected = open(engine, url, undefined, undefined, busyTimeout);
  const { driver, execute } = connected;
  await driver.migrate();
  await execute(
    driver.db,
    sql`create table model (stream_id text primary key, seen text not null)`,
  );
  const errand: Stage["errand"] = (worker, more) => ({
    ...{ worker, engine, url, journal: journal.path, kind: "outbox", options },
    ...more,
  });
  return {
    ...connected,
    ...{ engine, url, journal, errand },
    start: (worker, more) => start(errand(worker, more), journal, children),
    async model() {
      const rows = await execute(driver.db, sql`select stream_id, seen from model`) as //
      readonly { stream_id: string; seen: string }[];
      return Object.fromEntries(rows.map(({ stream_id, seen }) => [stream_id, seen]));
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill("SIGKILL");
      await connected.close();
      await drop();
      journal.remove();
    },
  };
}

/** Lets a worker of this process handle all that is there, and all that is parked. */
export async function recover(
  { errand }: Pick<Stage, "errand">,
  worker: string,
  more?: Partial<Errand>,
): Promise<void> {
  const { consumer: healthy, close } = consumer(errand(worker, more));
  const stop = new AbortController();
  const running = healthy.run({ signal: stop.signal, pollInterval: 50, onError: () => {} });
  await caughtUp(healthy);
  stop.abort();
  await running;
  await close();
}

/** Waits until a consumer has handled everything, in whichever process. */
export async function caughtUp(consumer: Consumer): Promise<void> {
  await until(async () => {
    const { position, head, retrying, parked } = await consumer.status();
    return position === head && retrying === 0 && parked === 0;
  });
}

function file() {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-stage-"));
  const drop = async () => rmSync(folder, { recursive: true, force: true });
  return { url: `file:${join(folder, "events.db")}`, drop };
}

function start(errand: Errand, journal: Journal, children: ChildProcess[]): Child {
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const program = fileURLToPath(new URL(`./relay.${extension}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check", "--quiet"] : [];
  const child = spawn(process.execPath, [...flags, program, JSON.stringify(errand)], {
    stdio: ["pipe", "ignore", "inherit"],
  });
  children.push(child);
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  const { worker } = errand;
  return {
    name: worker,
    ended,
    async kill() {
      journal.note({ what: "killed", worker });
      child.kill("SIGKILL");
      await ended;
    },
    stop() {
      journal.note({ what: "stopped", worker });
      child.kill("SIGSTOP");
    },
    go: () => void child.kill("SIGCONT"),
    async finish() {
      child.stdin.end();
      await ended;
    },
  };
}
