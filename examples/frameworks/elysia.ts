// The shop on Elysia and Bun.
import { Elysia } from "elysia";
import { openShop, stopRequested } from "./shop.ts";

const { orders, health, port, close } = await openShop();

const raw = { parse: "none" } as const; // the service reads the body itself
const app = new Elysia()
  .post("/orders", ({ request }) => orders.place(request), raw)
  .post("/orders/:id/lines", ({ request, params }) => orders.addLine(request, params.id), raw)
  .post("/orders/:id/submit", ({ request, params }) => orders.submit(request, params.id), raw)
  .get("/orders/:id", ({ request, params }) => orders.show(request, params.id))
  .get("/orders", () => orders.list())
  .get("/health", ({ request }) => health.fetch(request))
  .get("/health/:probe", ({ request }) => health.fetch(request))
  .listen(port, () => console.log("ready"));

await stopRequested();
await app.stop(); // no new requests; the last ones finish
await close();
