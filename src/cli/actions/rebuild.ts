import { type Consumer, Projection } from "../../../mod.ts";
import { type Command, command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { exit, Stop } from "../exit.ts";
import type { Progress } from "../progress.ts";

/** How often the progress is read, in milliseconds. */
const pause = 250;

/** Rebuilds the read model of a projection. */
export const rebuild: Command = command({
  summary: "empty the read model of a projection, and fill it from the log again",
  details:
    "It needs a configuration with the projection in `consumers`. Meanwhile the read model is incomplete; a projection of another `version` is built beside it instead. Interrupted, it leaves the rest to the processes that run the projection.",
  args: { projection: { kind: "one", summary: "the projection's name" } },
  options: { yes: { kind: "flag", summary: "do not ask" } },
  async run({ args: { projection: name }, options, ...tools }) {
    const { out, signal } = tools;
    const { consumers, configured } = await tools.open();
    if (!configured) {
      throw new Stop(exit.usage, "A rebuild needs your code: write an event-sourcery.config.ts");
    }
    const projection = projectionOf(consumers, name);
    const { head } = await projection.status();
    out.note(`${name} is emptied, and filled from ${head} positions of the log`);
    await confirm(tools, options.yes, "Until then it is incomplete.", name);
    const progress = out.progress(name, head);
    const timer = setInterval(() => void show(projection, progress), pause);
    const stop = () => void projection[Symbol.asyncDispose]();
    signal.addEventListener("abort", stop, { once: true });
    try {
      const { handled, failed, position } = await projection.rebuild();
      progress.set(position);
      progress.end();
      if (out.json) await out.value({ projection: name, handled, failed, position });
      if (signal.aborted) {
        out.note(
          `${name} was interrupted at position ${position}: what runs it goes on from there`,
        );
        return exit.interrupted;
      }
      out.note(`${name}: ${handled} events handled, ${failed} failed`);
      return failed === 0 ? exit.done : exit.failed;
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", stop);
    }
  },
});

function projectionOf(consumers: readonly Consumer[], name: string): Projection {
  const projections = consumers.filter((consumer) => consumer instanceof Projection);
  const found = projections.find((projection) => projection.name === name);
  if (found !== undefined) return found;
  const names = projections.map(({ name }) => name).join(", ") || "none";
  throw new Stop(
    exit.nothing,
    `There is no projection ${name} among the consumers of the configuration: there are ${names}`,
  );
}

/** Shows how far it is; one that cannot be read is read again soon. */
async function show(projection: Projection, progress: Progress): Promise<void> {
  const status = await projection.status().catch(() => undefined);
  if (status !== undefined) progress.set(status.position);
}
