import { type Command, command } from "../command.ts";
import { behind, consumerName, writeConsumers } from "../view/consumer.ts";
import { exit } from "../exit.ts";

/** Shows how the store and its consumers are. */
export const status: Command = command({
  summary: "show the store's head, its schema, and how its consumers are",
  details:
    "With --check it fails if a consumer is misconfigured, failing, behind, run by nobody, or needs you.",
  options: {
    check: {
      kind: "flag",
      summary: "end with 1 if a consumer is not well, with 5 if a migration is pending",
    },
    "max-age": { kind: "duration", summary: "how long an event may wait (default 5m)" },
    "max-lag": { kind: "number", summary: "how many positions a consumer may be behind" },
  },
  async run({ options, out, open }) {
    const { driver, inspect, name } = await open();
    const inspector = inspect({ maxAge: options["max-age"] });
    const [head, consumers, schema] = [
      await inspector.position(),
      await inspector.consumers(),
      await driver.schema?.(),
    ];
    const pending = (schema?.statements.length ?? 0) > 0;
    if (out.json) {
      const { version, latest } = schema ?? {};
      await out.value({ database: name, head, schema: { version, latest, pending }, consumers });
    } else {
      const tables = schema === undefined
        ? ""
        : `   tables of version ${schema.version ?? "unknown"}${
          pending ? `, ${schema.latest} is pending` : ""
        }`;
      await out.line(`${out.paint.bold(name)}   head ${head}${tables}`);
      if (consumers.length === 0) out.note("No consumer has ever run");
      else {
        await out.line();
        writeConsumers(consumers, out);
      }
    }
    if (!options.check) return exit.done;
    const most = options["max-lag"] ?? Infinity;
    const bad = consumers.filter((consumer) =>
      !["up to date", "catching up"].includes(consumer.health) || behind(consumer) > most
    );
    for (const consumer of bad) {
      const lag = behind(consumer);
      const reason = lag > most ? `${lag} behind` : consumer.health;
      out.error(`${consumerName(consumer)}: ${reason}`);
    }
    if (bad.length > 0) return exit.failed;
    return pending ? exit.pending : exit.done;
  },
});
