// The shop on Express 5 and Node.
import express from "express";
import { finishRequests, send, webRequest } from "./node.ts";
import { openShop, stopRequested } from "./shop.ts";

const { orders, health, port, close } = await openShop();

const app = express(); // without express.json(): the service reads the body itself
app.post("/orders", (req, res) => send(orders.place(webRequest(req)), res));
app.post(
  "/orders/:id/lines",
  (req, res) => send(orders.addLine(webRequest(req), req.params.id), res),
);
app.post(
  "/orders/:id/submit",
  (req, res) => send(orders.submit(webRequest(req), req.params.id), res),
);
app.get("/orders/:id", (req, res) => send(orders.show(webRequest(req), req.params.id), res));
app.get("/orders", (_req, res) => send(orders.list(), res));
app.get("/health{/:probe}", (req, res) => send(health.fetch(webRequest(req)), res));

const server = app.listen(port, (error) => { // Express calls it for a port that is taken, too
  if (error) throw error;
  console.log("ready");
});

await stopRequested();
await finishRequests(server);
await close();
