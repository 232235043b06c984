import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { catalogOf, storedTypes, unreadable } from "../catalog/stored.ts";
import { type Command, command } from "../command.ts";
import { type CatalogComparison, compareCatalogs, type EventCatalog } from "../../evolution/mod.ts";
import { exit, Stop } from "../exit.ts";

/** Compares the event types with the catalogue, and with what is stored. */
export const catalogCheck: Command = command({
  summary: "fail if events that are stored can no longer be read as what they are",
  details:
    "It needs a configuration. It compares the program with the file that catalog write has written, and with the types in the database; --offline leaves the database out, as in CI.",
  args: { file: { kind: "optional", summary: "the file (default events.json)" } },
  options: { offline: { kind: "flag", summary: "do not ask the database" } },
  async run({ args: { file = "events.json" }, options: { offline }, out, open }) {
    const { store, configured } = await open();
    if (!configured) {
      throw new Stop(
        exit.usage,
        "The event types are in your code: write an event-sourcery.config.ts",
      );
    }
    const now = catalogOf(store);
    const { breaking, compatible } = compare(await read(file), now);
    const stored = offline ? [] : await storedTypes(store);
    const problems = stored === undefined ? [] : unreadable(now, stored);
    if (out.json) await out.value({ breaking, compatible, stored: problems });
    else {
      const told = [...breaking, ...compatible].filter(({ breaks }) => breaks !== undefined);
      for (const { type, path, breaks, reason } of told) {
        const place = path === "" ? type : `${type}, ${path}`;
        await out.line(`${place}: ${reason} (breaks ${breaks})`);
      }
      for (const problem of problems) await out.line(problem);
    }
    if (stored === undefined) out.note("This driver does not list the types that are stored");
    const count = breaking.length + problems.length;
    if (count === 0) {
      out.note("All that is stored can be read");
      return exit.done;
    }
    out.error(
      `${count} of them break what is stored: raise the version by an upcast, or retire the type`,
    );
    return exit.failed;
  },
});

async function read(file: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(resolve(file), "utf8");
  } catch {
    throw new Stop(
      exit.nothing,
      `There is no file ${JSON.stringify(file)}: run event-sourcery catalog write`,
    );
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new Stop(exit.usage, `${JSON.stringify(file)} is not JSON`);
  }
}

/** @throws {Stop} If the file holds no catalogue. */
function compare(before: unknown, now: EventCatalog): CatalogComparison {
  try {
    return compareCatalogs(before as EventCatalog, now); // which checks it
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new Stop(exit.usage, `The file holds no catalogue: ${error.message}`);
  }
}
