import { findConsumer } from "../view/consumer.ts";
import type { View } from "../view/view.ts";

/** How far a consumer is behind, as a number: its page draws a line of it. */
export async function lag(view: View): Promise<Response> {
  const found = await findConsumer(view);
  return found === undefined
    ? new Response("There is no such consumer", { status: 404 })
    : new Response(String(found.lag));
}
