// The shop on Hono and Node.
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { finishRequests } from "./node.ts";
import { openShop, stopRequested } from "./shop.ts";

const { orders, health, port, close } = await openShop();

const app = new Hono();
app.post("/orders", (c) => orders.place(c.req.raw));
app.post("/orders/:id/lines", (c) => orders.addLine(c.req.raw, c.req.param("id")));
app.post("/orders/:id/submit", (c) => orders.submit(c.req.raw, c.req.param("id")));
app.get("/orders/:id", (c) => orders.show(c.req.raw, c.req.param("id")));
app.get("/orders", () => orders.list());
app.get("/health/:probe?", (c) => health.fetch(c.req.raw));

const server = serve({ fetch: app.fetch, port }, () => console.log("ready"));

await stopRequested();
await finishRequests(server);
await close();
