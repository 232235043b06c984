// The shop on Deno alone.
import { openShop, stopRequested } from "./shop.ts";

const { orders, health, port, close } = await openShop();

const server = Deno.serve({ port, onListen: () => console.log("ready") }, (request) => {
  const [, first, id, action, ...rest] = new URL(request.url).pathname.split("/");
  if (first === "health") return health.fetch(request);
  if (first !== "orders" || rest.length > 0) return new Response(null, { status: 404 });
  const path = [id && ":id", action].filter(Boolean).join("/");
  switch (`${request.method} ${path}`) {
    case "GET ":
      return orders.list();
    case "POST ":
      return orders.place(request);
    case "GET :id":
      return orders.show(request, id!);
    case "POST :id/lines":
      return orders.addLine(request, id!);
    case "POST :id/submit":
      return orders.submit(request, id!);
    default:
      return new Response(null, { status: 404 });
  }
});

await stopRequested();
await server.shutdown(); // no new requests; the last ones finish
await close();
