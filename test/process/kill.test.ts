// Orders, payments, reminders and cancellations, while the workers are killed wherever they may stand.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { EventStore } from "event-sourcery";
import { events, OrderPlaced, PaymentReceived } from "../../examples/fulfilment/fulfilment.ts";
import { until } from "../support/journal.ts";
import { runtime } from "../support/root.ts";
import { Chance, seed } from "../support/seed.ts";
import { engines, stage } from "../support/stage.ts";

const orders = 12;
const ends = ["OrderConfirmed", "OrderCancelled"];

for (const engine of engines) {
  test(`${engine}: every order is confirmed or cancelled once, whoever is killed (SEED=${seed})`, {
    timeout: 120_000,
  }, async () => {
    await using shared = await stage(engine);
    const store = new EventStore(shared.driver, { events });
    const workers: ChildProcess[] = [];
    try {
      const chance = new Chance(seed);
      const start = () => workers.push(worker(engine, shared.url));
      start();
      start();
      const paid = new Set<number>();
      for (let order = 0; order < orders; order++) {
        const orderId = String(order);
        await store.append(`order:${order}`, OrderPlaced({ orderId, cents: 100 + order }));
        // Some pay at once, some after a reminder or too late, some never.
        const delay = [0, 200, 500, undefined][order % 4];
        if (delay === undefined) continue;
        paid.add(order);
        setTimeout(() => store.append(`payment:${order}`, PaymentReceived({ orderId })), delay);
      }
      for (let killed = 0; killed < 3; killed++) {
        await new Promise((resolve) => setTimeout(resolve, 150 + chance.below(250)));
        workers[killed]!.kill("SIGKILL");
        start();
      }
      const typesOf = async (order: number) =>
        (await store.load(`fulfilment:${order}`)).map(({ type }) => type);
      const count = (types: readonly string[], ...wanted: readonly string[]) =>
        types.filter((type) => wanted.includes(type)).length;
      await until(async () => {
        const all = await Promise.all(Array.from({ length: orders }, (_, order) => typesOf(order)));
        return all.every((types, order) =>
          types.includes("OrderConfirmed") ||
          (types.includes("OrderCancelled") &&
            (!paid.has(order) || types.includes("RefundRequested")))
        );
      });
      for (let order = 0; order < orders; order++) {
        const types = await typesOf(order);
        const said = types.join();
        assert.equal(types[0], "PaymentRequested", said);
        assert.equal(count(types, "PaymentRequested"), 1, said);
        assert.equal(count(types, ...ends), 1, said);
        for (const once of ["ReminderDue", "Reminded", "PaymentTimedOut", "RefundRequested"]) {
          assert.ok(count(types, once) <= 1, said);
        }
        const cancelled = types.includes("OrderCancelled");
        assert.equal(types.includes("RefundRequested"), cancelled && paid.has(order), said);
        assert.ok(cancelled || paid.has(order), said);
        assert.equal(types.includes("PaymentTimedOut"), cancelled, said);
      }
    } finally {
      for (const one of workers) one.kill("SIGKILL");
    }
  });
}

function worker(engine: string, url: string): ChildProcess {
  const extension = import.meta.url.endsWith(".js") ? "js" : "ts";
  const program = fileURLToPath(new URL(`../support/clerk.${extension}`, import.meta.url));
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check", "--quiet"] : [];
  return spawn(process.execPath, [...flags, program, engine, url], {
    stdio: ["pipe", "ignore", "inherit"],
  });
}
