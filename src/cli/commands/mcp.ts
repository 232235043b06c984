import { bearerAuth, mcp as mcpHandler, mcpLines } from "../../mcp/mod.ts";
import { type Command, command } from "../command.ts";
import { serve } from "../serve.ts";

/** Lets agents look into the store. */
export const mcp: Command = command({
  summary: "let an agent look into the store, by the Model Context Protocol",
  details:
    "It answers on standard input and output, as an agent's program starts it; with --http on 127.0.0.1, to whoever sends the token that it prints. It only reads, sensitive fields are masked, and --tenant pins what is seen.",
  options: {
    shape: { kind: "flag", summary: "show the types and lengths of data, not the data" },
    http: { kind: "flag", summary: "answer HTTP instead" },
    port: { kind: "number", summary: "the port of --http (default 4322)" },
  },
  async run({ options, out, open, input, signal }) {
    const { store, consumers, aggregates, configured } = await open();
    const views = {
      ...{ aggregates, consumers: configured ? consumers : undefined },
      data: options.shape ? "shape" : "values",
      onError: (error: unknown) => out.error(error instanceof Error ? error.message : "It failed"),
    } as const;
    if (options.http) {
      const token = crypto.randomUUID();
      const handler = mcpHandler(store, { ...views, authorize: bearerAuth({ token }) });
      return await serve(handler, options.port ?? 4322, signal, (url) => {
        out.error(`${url}/mcp\nAuthorization: Bearer ${token}`);
      });
    }
    const answer = mcpLines(store, views);
    const under = new Set<Promise<void>>();
    for await (const line of input()) {
      if (line.trim() === "") continue;
      // Not one after the other: a ping is answered while a call runs.
      const reply = (async () => {
        const text = await answer(line);
        if (text !== undefined) await out.line(text);
      })();
      under.add(reply);
      void reply.finally(() => under.delete(reply));
    }
    await Promise.all(under);
  },
});
