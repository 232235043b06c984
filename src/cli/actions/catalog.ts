import { writeFile } from "node:fs/promises";
import { catalogOf } from "../catalog/stored.ts";
import { type Command, command } from "../command.ts";
import { exit, Stop } from "../exit.ts";
import { resolve } from "node:path";

/** Writes the catalogue of event types. */
export const catalogWrite: Command = command({
  summary: "write the event types, as JSON, into a file that is kept beside the code",
  details: "It needs a configuration. Run it when event types have changed, and commit the file.",
  args: { file: { kind: "optional", summary: "the file (default events.json)" } },
  async run({ args: { file = "events.json" }, out, open }) {
    const { store, configured } = await open();
    if (!configured) {
      throw new Stop(
        exit.usage,
        "The event types are in your code: write an event-sourcery.config.ts",
      );
    }
    const catalog = catalogOf(store);
    await writeFile(resolve(file), `${JSON.stringify(catalog, undefined, 2)}\n`);
    out.note(`${catalog.events.length} event types written to ${file}`);
    for (const { type, schema, reason } of catalog.events) {
      if (schema === null) out.note(`${type} has no schema in it: ${reason}`);
    }
  },
});
