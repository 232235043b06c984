import { consumers, forgetConsumer } from "../../../mod.ts";
import { type Command, command } from "../command.ts";
import { confirm } from "../confirm.ts";
import { consumerName, consumerOf } from "../view/consumer.ts";
import { exit, Stop } from "../exit.ts";

/** Removes a consumer that no process runs any longer. */
export const forget: Command = command({
  summary: "remove a consumer that was retired, with its checkpoints and parked streams",
  details: "Created again, it starts anew. It is refused while a process runs it.",
  args: { name: { kind: "one", summary: "the consumer's name", completes: "consumers" } },
  options: {
    version: { kind: "number", summary: "its version, where there are several" },
    yes: { kind: "flag", summary: "do not ask" },
  },
  async run({ args, options, ...tools }) {
    const { store, tenantId } = await tools.open();
    const info = consumerOf(await consumers(store), args.name, options.version);
    const { name, version, position, parked, retrying } = info;
    const label = consumerName(info);
    tools.out.note(
      `${label} is at position ${position}, and has ${parked + retrying} streams parked`,
    );
    await confirm(tools, options.yes, `Its progress is lost for ever.`, name);
    const scoped = info.tenantId === undefined || tenantId !== undefined
      ? store
      : store.scope({ tenantId: info.tenantId });
    if (!await forgetConsumer(scoped, { name, version })) {
      throw new Stop(exit.nothing, `${label} is gone already`);
    }
    tools.out.note(`${label} is forgotten`);
  },
});
