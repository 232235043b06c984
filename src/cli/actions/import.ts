import { createReadStream } from "node:fs";
import { access } from "node:fs/promises";
import process from "node:process";
import { createInterface } from "node:readline";
import { type Command, command } from "../command.ts";
import { exit, Stop } from "../exit.ts";
import type { Progress } from "../progress.ts";
import { checkLines, importLines } from "../transfer/import.ts";
import { LineError } from "../transfer/line.ts";

/** Brings in what `export` has written. */
export const importLog: Command = command({
  summary: "bring in the events of a file that export has written",
  details:
    "Events keep their ids, versions, times and what is sealed, and get new positions. They are history: no handler of a store runs, and consumers see them as a replay. A file is checked before the first event is stored; what is stored already is passed over, so that it may be run again. Outboxes publish them if they were to be published, unless --unpublished says otherwise.",
  args: {
    file: { kind: "one", summary: "the file, or - for the input, which is not checked first" },
  },
  options: {
    "dry-run": { kind: "flag", summary: "check the file, and store nothing" },
    unpublished: { kind: "flag", summary: "keep outboxes from publishing the events" },
  },
  async run({ args: { file }, options, out, open, signal }) {
    const { store } = await open();
    const dry = options["dry-run"];
    let progress: Progress | undefined;
    try {
      const total = file === "-" && !dry
        ? undefined
        : await checkLines(store, linesOf(await found(file)));
      if (dry) {
        if (out.json) await out.value({ events: total });
        out.note(`${total} events can be imported`);
        return;
      }
      if (total !== undefined) progress = out.progress("lines", total);
      const { unpublished } = options;
      const onProgress = (lines: number) => progress?.set(lines);
      const { imported, known } = await importLines(store, linesOf(file), {
        ...{ unpublished, signal, onProgress },
      });
      progress?.end();
      if (out.json) await out.value({ imported, known });
      out.note(`${imported} events imported, ${known} were there already`);
    } catch (error) {
      progress?.end();
      if (!(error instanceof LineError)) throw error;
      const rest = dry || file !== "-" && progress === undefined
        ? "nothing was stored"
        : "what is before its batch is stored, and passed over when it is run again";
      throw new Stop(exit.failed, `${error.message}; ${rest}`);
    }
  },
});

/** Returns the path of a file. @throws {Stop} If there is none. */
async function found(file: string): Promise<string> {
  if (file === "-" || await access(file).then(() => true, () => false)) return file;
  throw new Stop(exit.nothing, `There is no file ${JSON.stringify(file)}`);
}

/** Reads the lines of a file, a piece at a time. */
function linesOf(file: string): AsyncIterable<string> {
  const input = file === "-" ? process.stdin : createReadStream(file, "utf8");
  return createInterface({ input, crlfDelay: Infinity });
}
