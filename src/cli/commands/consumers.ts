import type { InspectedConsumer } from "../../inspect/mod.ts";
import { type Command, command } from "../command.ts";
import {
  behind,
  consumerName,
  consumersOf,
  paintHealth,
  writeConsumers,
} from "../view/consumer.ts";
import { exit } from "../exit.ts";
import type { Output } from "../output.ts";
import { timeOf } from "../progress.ts";

/** Lists consumers, or shows one with its lanes. */
export const consumers: Command = command({
  summary: "list the consumers, or show one with its lanes",
  args: {
    name: { kind: "optional", summary: "only the consumers of this name", completes: "consumers" },
  },
  async run({ args: { name }, out, open }) {
    const { inspect } = await open();
    const known = await inspect().consumers();
    const found = name === undefined ? known : consumersOf(known, name);
    if (out.json) {
      for (const consumer of found) await out.value(consumer);
    } else if (name !== undefined) {
      for (const consumer of found) writeConsumer(consumer, out);
    } else if (found.length > 0) writeConsumers(found, out);
    if (found.length > 0) return exit.done;
    out.error("No consumer has ever run");
    return exit.nothing;
  },
});

function writeConsumer(consumer: InspectedConsumer, out: Output): void {
  const { filter, position, head, oldest, age, retrying, parked, seenAt, error, lanes } = consumer;
  const wants = [
    ["types", filter.types],
    ["categories", filter.categories],
  ] as const;
  const wanted = wants.flatMap(([word, names]) => names ? [`${word} ${names.join(", ")}`] : []);
  if (filter.published) wanted.push("published");
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["consumer", out.paint.bold(consumerName(consumer))],
    ["health", paintHealth(consumer.health, out)],
    ["error", error && out.paint.red(`${error.code}: ${error.message}`)],
    ["wants", wanted.join("; ") || "all events"],
    ["position", `${position} of ${head}, ${behind(consumer)} behind`],
    ["oldest", oldest && `${out.time(oldest)}, ${timeOf(age)} ago`],
    ["parked", `${parked}, and ${retrying} that are retried`],
    [
      "seen",
      seenAt === undefined ? "by no run(): runOnce() and drain() leave no sign" : out.time(seenAt),
    ],
  ];
  for (const [name, text] of facts) {
    if (text !== undefined) void out.line(`${name.padEnd(10)}${text}`);
  }
  void out.line();
  out.table(
    [{ right: "lane" }, { right: "position" }, { right: "crashes" }, "held by", "until"],
    lanes.map(({ lane, position, crashes, owner, leasedUntil }) => [
      String(lane),
      String(position),
      String(crashes),
      owner ?? "nobody",
      leasedUntil === undefined ? "" : out.time(leasedUntil),
    ]),
  );
}
