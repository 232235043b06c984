import { memory } from "event-sourcery/memory";
import { driverContract } from "event-sourcery/testing";
import { test } from "node:test";

for (const { name, run } of driverContract(() => memory())) {
  test(`memory: ${name}`, { timeout: 60_000 }, run);
}
