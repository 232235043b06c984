import { attempt } from "../view/attempt.ts";
import { markup } from "../frame/html.ts";
import type { Page, View } from "../view/view.ts";

/** Goes to what was looked for: a position, a stream, an event, a trace, or streams whose ids begin so. */
export async function find(view: View): Promise<Page | Response> {
  const text = view.param("q")?.trim() ?? "";
  const { inspector, tenant } = view;
  const position = /^#?(\d{1,15})$/.exec(text)?.[1];
  if (text === "") return redirect(view.to("/streams"));
  if (text.startsWith("#") && position !== undefined) {
    return redirect(view.to("/log", { before: Number(position) + 1 }));
  }
  if (text.endsWith("*")) return redirect(view.to("/streams", { prefix: text, tenant }));
  const [event, { streams: [stream] }, trace] = await Promise.all([
    attempt(inspector.event(text)),
    inspector.streams({ prefix: text, limit: 1 }),
    attempt(inspector.trace(text, { limit: 1 })),
  ]);
  if (stream?.streamId === text) return redirect(view.to("/stream", { id: text, tenant }));
  if (event !== undefined) return redirect(view.to("/event", { id: text, tenant }));
  if (trace !== undefined) return redirect(view.to("/trace", { id: text, tenant }));
  if (stream !== undefined) return redirect(view.to("/streams", { prefix: text, tenant }));
  if (position !== undefined) return redirect(view.to("/log", { before: Number(position) + 1 }));
  return {
    title: "Not found",
    status: 404,
    body:
      markup`<div class="head"><h1>Nothing has this id</h1></div><section class="panel"><div class="empty"><strong>“<bdi>${text}</bdi>” is no stream, event or trace, and no stream's id begins with it</strong>Ids are compared letter by letter. <code>#123</code> goes to a position, <code>order:*</code> lists streams; what events hold is not searched.</div></section>`,
  };
}

function redirect(location: string): Response {
  return new Response(null, { status: 303, headers: { location } });
}
