import { studio as browser } from "../../studio/mod.ts";
import { type Command, command } from "../command.ts";
import { exit, Stop } from "../exit.ts";
import { serve } from "../serve.ts";
import { withKey } from "../session.ts";

/** Where it is served unless another port is asked for. */
const usual = 4321;

/** Opens the store in a browser. */
export const studio: Command = command({
  summary: "open the store in a browser, on this machine alone, until it is interrupted",
  details:
    "The address that it prints has a key: whoever does not know it is refused. Sensitive fields show as their masks. With a configuration, states are shown, and with --actions its consumers can be acted on.",
  options: {
    port: { kind: "number", summary: `another port; 0 is a free one (default ${usual})` },
    shape: { kind: "flag", summary: "show the types and lengths of data, not the data" },
    actions: { kind: "flag", summary: "allow to redrive, discard, rebuild and forget" },
  },
  async run({ options: { port = usual, shape, actions }, out, open, signal }) {
    if (port > 65_535) throw new Stop(exit.usage, "--port must be at most 65535");
    if (signal.aborted) return;
    const { store, consumers, aggregates, configured, name } = await open();
    const key = [...crypto.getRandomValues(new Uint8Array(16))]
      .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const handler = browser(store, {
      authorize: () => actions ? "act" : "read",
      title: name,
      aggregates,
      actions,
      data: shape ? "shape" : "values",
      ...(configured && { consumers }),
    });
    await serve(withKey(handler, key), port, signal, async (address) => {
      const url = `${address}/?key=${key}`;
      if (out.json) return await out.value({ url });
      await out.line(url);
      out.note("Ctrl+C ends it");
    });
  },
});
