import { type Command, command } from "../command.ts";
import { shownEvent, writeEvent } from "../view/event.ts";
import { exit, Stop } from "../exit.ts";

/** Shows one event. */
export const event: Command = command({
  summary: "show one event with all that is known of it",
  args: { id: { kind: "one", summary: "the event's id" } },
  async run({ args: { id }, out, open }) {
    const { inspect } = await open();
    const found = await inspect().event(id);
    if (found === undefined) throw new Stop(exit.nothing, `There is no event ${id}`);
    const shown = shownEvent(found);
    if (out.json) await out.value(shown);
    else writeEvent(shown, out);
  },
});
