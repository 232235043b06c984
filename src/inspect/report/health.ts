import { checkNumber, checkObject } from "../../errors/check.ts";
import type { ConsumerHealth } from "../consumers.ts";
import { problemOf } from "../event.ts";
import type { Inspector } from "../inspector.ts";

/**
 * Options of `health`.
 *
 * @category Inspect
 */
export interface HealthOptions {
  /** How long the database may take to answer, in milliseconds. @default 2000 */
  readonly timeout?: number | undefined;
}

/**
 * How a service is.
 *
 * @category Inspect
 */
export interface HealthReport {
  /** Whether it can do its work (`"ok"`), does it with something amiss (`"warning"`), or cannot (`"failing"`). */
  readonly status: "ok" | "warning" | "failing";
  /** What was looked at, by name. */
  readonly checks: Readonly<Record<string, HealthCheck>>;
}

/**
 * One thing that was looked at.
 *
 * @category Inspect
 */
export interface HealthCheck {
  /** How it is. */
  readonly status: HealthReport["status"];
  /** Why, for people: a consumer's health, or what the database said; it holds no event data. */
  readonly reason?: string | undefined;
}

/**
 * Says how a service is, for what starts and stops its processes.
 *
 * @category Inspect
 */
export interface Health {
  /** Whether the process works at all: it asks nobody, since a restart mends no database. */
  readonly live: () => Promise<HealthReport>;
  /** Whether requests can be served: the database answers in time, and its tables fit. It never fails for consumers. */
  readonly ready: () => Promise<HealthReport>;
  /** How the consumers are, for people and alerts: at worst a warning, since a broker that is down is no reason to restart. */
  readonly consumers: () => Promise<HealthReport>;
  /**
   * Answers a request by the end of its path: `/live`, `/ready`, else both `ready` and `consumers`; with status 503 if
   * that is failing. The reports name consumers and errors of the database: do not publish this.
   */
  readonly fetch: (request: Request) => Promise<Response>;
}

const words: Readonly<Record<ConsumerHealth, HealthReport["status"]>> = {
  "misconfigured": "warning",
  "failing": "warning",
  "needs you": "warning",
  "nobody runs it": "warning",
  "behind": "warning",
  "catching up": "ok",
  "up to date": "ok",
};

/**
 * Makes the health checks of a service.
 *
 * @throws {TypeError | RangeError} If an option is malformed.
 *
 * @category Inspect
 *
 * @example Ready, and how the consumers are
 * ```ts
 * import { defineEvent, EventStore } from "event-sourcery";
 * import { health, inspect } from "event-sourcery/inspect";
 * import { memory } from "event-sourcery/memory";
 * import assert from "node:assert/strict";
 *
 * const store = new EventStore(memory(), { events: [defineEvent("Paid")] });
 * const checks = health(inspect(store));
 *
 * assert.deepEqual(await checks.ready(), { status: "ok", checks: { database: { status: "ok" } } });
 * assert.equal((await checks.fetch(new Request("http://localhost/health/live"))).status, 200);
 * ```
 */
export function health(
  inspector: Pick<Inspector, "consumers" | "position">,
  options: HealthOptions = {},
): Health {
  const { timeout = 2000 } = checkObject("options", options);
  checkNumber("timeout", timeout, 1);
  const live = async (): Promise<HealthReport> => ({ status: "ok", checks: {} });
  const ready = async (): Promise<HealthReport> => {
    const database = await within(timeout, inspector.position(), () => ({ status: "ok" }));
    return { status: database.status, checks: { database } };
  };
  const consumers = async (): Promise<HealthReport> => {
    let checks: Record<string, HealthCheck> = {};
    const database = await within(timeout, inspector.consumers(), (found) => {
      checks = Object.fromEntries(found.map(({ tenantId, name, version, health: reason }) => {
        const place = tenantId === undefined ? "" : `${tenantId}/`;
        return [`${place}${name}@${version}`, { status: words[reason], reason }];
      }));
      return { status: "ok" };
    });
    if (database.status !== "ok") return { status: "warning", checks: { database } };
    const warns = Object.values(checks).some(({ status }) => status !== "ok");
    return { status: warns ? "warning" : "ok", checks };
  };
  const all = async (): Promise<HealthReport> => {
    const [first, second] = [await ready(), await consumers()];
    const status = first.status === "ok" ? second.status : first.status;
    return { status, checks: { ...second.checks, ...first.checks } };
  };
  return {
    ...{ live, ready, consumers },
    async fetch(request) {
      const { pathname } = new URL(request.url);
      const check = pathname.endsWith("/live") ? live : pathname.endsWith("/ready") ? ready : all;
      const report = await check();
      const headers = { "cache-control": "no-store" };
      return Response.json(report, { status: report.status === "failing" ? 503 : 200, headers });
    },
  };
}

/** Waits for an answer of the database; one that comes too late, or an error, is failing. */
async function within<T>(
  timeout: number,
  answer: Promise<T>,
  read: (answer: T) => HealthCheck,
): Promise<HealthCheck> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<HealthCheck>((resolve) => {
    const reason = `it has not answered within ${timeout} ms`;
    timer = setTimeout(() => resolve({ status: "failing", reason }), timeout);
  });
  try {
    return await Promise.race([answer.then(read), late]);
  } catch (error) {
    return { status: "failing", reason: problemOf(error).message };
  } finally {
    clearTimeout(timer);
    answer.catch(() => {}); // told already, or too late to matter
  }
}
