import { type Command, command } from "../command.ts";
import { exit, Stop } from "../exit.ts";
import type { Output } from "../output.ts";
import { Digest } from "../verify/digest.ts";
import type { Finding } from "../verify/finding.ts";
import type { VerifyProgress } from "../verify/log.ts";
import { verify as findings } from "../verify/verify.ts";

/** How many findings of one kind are shown; with --json, all. */
const most = 20;

/** Looks for damage in the database. */
export const verify: Command = command({
  summary: "look for damage in the database; it never repairs",
  details:
    "It looks at all tenants, and takes seconds; with --deep it reads every event that was there when it began, while others go on appending. It ends with 1 if it has found an error, with 0 for warnings. Types and upcasts are checked where there is a configuration.",
  options: {
    deep: { kind: "flag", summary: "read every event" },
    since: { kind: "number", value: "position", summary: "with --deep, go on after this position" },
    rate: { kind: "number", value: "events", summary: "with --deep, the most events a second" },
    digest: {
      kind: "flag",
      summary: "with --deep, a hash of each million events, to compare with another database",
    },
  },
  async run({ options: { deep, since, rate, ...asked }, out, open, signal }) {
    const digest = asked.digest ? new Digest() : undefined;
    if (digest !== undefined && !deep) throw new Stop(exit.usage, "--digest goes with --deep");
    const { store, configured } = await open();
    const found = { error: 0, warning: 0, skipped: 0 };
    const kinds = new Map<Finding["check"], number>();
    const watch = watchOn(out, since ?? 0);
    try {
      const { onProgress } = watch;
      const all = findings(store, {
        ...{ deep, since, rate, signal, onProgress, digest, typed: configured },
      });
      for await (const finding of all) {
        found[finding.level]++;
        const seen = (kinds.get(finding.check) ?? 0) + 1;
        kinds.set(finding.check, seen);
        if (out.json) await out.value(finding);
        else if (seen <= most) await write(finding, out);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
    const position = watch.end();
    for (const [check, count] of kinds) {
      if (count > most && !out.json) out.note(`${count - most} more: ${check}`);
    }
    if (signal.aborted) {
      out.note(`It was interrupted; to go on: --deep --since ${position}`);
      return exit.interrupted;
    }
    for (const part of await digest?.end() ?? []) {
      const { first, last, position } = part;
      if (out.json) await out.value(part);
      else await out.line(`events ${first}–${last}, to position ${position}  ${part.digest}`);
    }
    const { error, warning, skipped } = found;
    const reached = deep ? `, events up to position ${position}` : "";
    out.note(`errors ${error}, warnings ${warning}, not checked ${skipped}${reached}`);
    return error === 0 ? exit.done : exit.failed;
  },
});

async function write(
  { level, check, where, message, advice }: Finding,
  out: Output,
): Promise<void> {
  const color = { error: "red", warning: "yellow", skipped: "dim" } as const;
  const name = level === "skipped" ? "not checked" : level;
  await out.line(`${out.paint[color[level]](name)}  ${check}: ${where}`);
  await out.line(`  ${message}`);
  await out.line(`  ${advice}`);
}

/** Shows how far it is. */
function watchOn(out: Output, since: number): {
  readonly onProgress: (progress: VerifyProgress) => void;
  /** @returns The position that was reached. */
  readonly end: () => number;
} {
  let shown: ReturnType<Output["progress"]> | undefined;
  let reached = since;
  return {
    onProgress({ position, until }) {
      reached = position;
      shown ??= out.progress("events", until - since);
      shown.set(position - since);
    },
    end() {
      shown?.end();
      return reached;
    },
  };
}
