// The orders of a shop over HTTP. It knows requests and responses of the web, and no framework.
import {
  type EventInit,
  type EventStore,
  type ExecuteOptions,
  type RecordedEvent,
  Repository,
} from "event-sourcery";
import type { Overview } from "./database.ts";
import { Order, type OrderEvent } from "./order.ts";
import { problem, RequestError } from "./problem.ts";
import { digest, metadataOf, type Once, onceOf, versionOf, waitOf } from "./request.ts";

/** What a request does to an order. It emits one event, with the id and metadata of `init`. */
type Command = (order: Order, init: EventInit, body: string) => void;

/** The routes as functions. Each takes the whole request: the framework must not have read its body. */
export class OrderService {
  readonly #store: EventStore<OrderEvent>;
  readonly #overview: Overview;

  constructor(store: EventStore<OrderEvent>, overview: Overview) {
    this.#store = store;
    this.#overview = overview;
  }

  /** POST /orders: a new order, with its first line. */
  place(request: Request): Promise<Response> {
    return this.#answer(request, undefined, addLine);
  }

  /** POST /orders/:id/lines: lines add up in any order, so If-Match is welcome, not required. */
  addLine(request: Request, id: string): Promise<Response> {
    return this.#answer(request, id, addLine);
  }

  /** POST /orders/:id/submit: binds the customer to what they saw, so it needs If-Match. */
  submit(request: Request, id: string): Promise<Response> {
    return this.#answer(request, id, (order, init) => {
      if (!request.headers.has("if-match")) {
        throw new RequestError(428, "If-Match must hold the ETag of the order");
      }
      order.submit(init);
    });
  }

  /** GET /orders/:id, from its events: never behind. */
  async show(request: Request, id: string): Promise<Response> {
    try {
      const order = await new Repository(this.#store, Order).load(checkId(id));
      if (order === undefined) throw new RequestError(404, "There is no such order");
      const headers = { etag: `"${order.version}"` };
      if (request.headers.get("if-none-match") === headers.etag) {
        return new Response(null, { status: 304, headers });
      }
      return Response.json({ cents: order.cents, submitted: order.submitted }, { headers });
    } catch (error) {
      return problem(error);
    }
  }

  /** GET /orders, from the read model: a moment behind, unless the change was made with `Prefer: wait`. */
  async list(): Promise<Response> {
    try {
      return Response.json(await this.#overview.rows());
    } catch (error) {
      return problem(error);
    }
  }

  /** Runs a command, and answers from the event that it stored: a repeated request gets the same answer. */
  async #answer(request: Request, id: string | undefined, command: Command): Promise<Response> {
    const { headers } = request;
    const metadata = metadataOf(headers);
    const store = this.#store.scope({ metadata });
    let response: Response;
    try {
      const body = await request.text();
      const once = await onceOf(request, body);
      const target = id === undefined ? await newId(once) : checkId(id);
      const expected = id === undefined ? "noStream" : versionOf(headers);
      const event = await execute(store, target, once, expected, (order, init) => {
        command(order, init, body);
      });
      response = Response.json({ id: target, version: event.version }, {
        status: id === undefined ? 201 : 200,
        headers: { etag: `"${event.version}"`, location: `/orders/${target}` },
      });
      const wait = waitOf(headers);
      if (wait > 0 && await this.#overview.shows(event.position, wait)) {
        response.headers.set("preference-applied", `wait=${wait / 1000}`);
      }
    } catch (error) {
      response = problem(error, headers.has("if-match"));
    }
    response.headers.set("x-correlation-id", metadata.correlationId);
    return response;
  }
}

const addLine: Command = (order, init, body) => order.addLine(JSON.parse(body), init);

/** A new order gets an id made of the key, so that a repetition finds it. */
async function newId(once: Once | undefined): Promise<string> {
  return once === undefined ? crypto.randomUUID() : (await digest(once.key)).slice(0, 32);
}

/** Not everything in a path can name a stream. */
function checkId(id: string): string {
  if (!/^[\w-]{1,64}$/.test(id)) throw new RequestError(404, "There is no such order");
  return id;
}

/**
 * Runs a command once for each key. The event's id is made of the key, and an id is stored once, however many requests
 * come at the same time: all get the event of the first.
 */
async function execute(
  store: EventStore<OrderEvent>,
  id: string,
  once: Once | undefined,
  expectedVersion: ExecuteOptions["expectedVersion"],
  command: (order: Order, init: EventInit) => void,
): Promise<RecordedEvent<OrderEvent>> {
  const orders = new Repository(store, Order);
  const init: EventInit = once === undefined
    ? {}
    : { id: `request:${once.key}`, metadata: { fingerprint: once.fingerprint } };
  const run = (order: Order) => command(order, init);
  const event = await orders.execute(id, run, { expectedVersion }).then(
    ({ events }) => events[0]!,
    async (error) => { // because the request was carried out already?
      if (once === undefined) throw error;
      for await (const event of store.read(`order:${id}`, { backwards: true })) {
        if (event.id === init.id) return event;
      }
      throw error;
    },
  );
  if (once !== undefined && event.metadata["fingerprint"] !== once.fingerprint) {
    throw new RequestError(422, "The Idempotency-Key belongs to another request");
  }
  return event;
}
