// The programs of examples/frameworks, each over HTTP on the runtime of its framework. Node asks for all of them.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { type IncomingMessage, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { open } from "../examples/frameworks/database.ts";
import { bin, must } from "./support/command.ts";
import { createDatabase } from "./support/postgres.ts";
import { root } from "./support/root.ts";
import { answers, free } from "./support/server.ts";
import { type Service, startService } from "./support/service.ts";
import { installBun } from "./support/suites.ts";

await installBun();
const deno = (await must([bin("deno"), "eval", "console.log(Deno.execPath())"])).trim();

/** How each program is started. */
const programs: Record<string, readonly string[]> = {
  hono: [process.execPath, "dist/examples/frameworks/hono.js"],
  express: [process.execPath, "dist/examples/frameworks/express.js"],
  nest: [process.execPath, "dist/examples/frameworks/nest.js"],
  elysia: [bin("bun"), "examples/frameworks/elysia.ts"],
  deno: [deno, "run", "--allow-all", "--no-check", "examples/frameworks/deno.ts"],
};

const line = JSON.stringify({ sku: "tea", quantity: 2, cents: 450 });
const other = JSON.stringify({ sku: "pot", quantity: 1, cents: 2000 });

/** Sends a request to the program under test. */
type Ask = (
  method: string,
  path: string,
  headers?: Record<string, string>,
  body?: string,
) => Promise<Response>;

/** What every program answers. */
const scenarios: Record<string, (ask: Ask) => Promise<void>> = {
  async "an order is placed, extended, submitted and shown"(ask) {
    const placed = await ask("POST", "/orders", {}, line);
    const path = placed.headers.get("location")!;
    assert.deepEqual([placed.status, placed.headers.get("etag")], [201, '"1"']);
    assert.deepEqual(await placed.json(), { id: path.replace("/orders/", ""), version: 1 });
    const added = await ask("POST", `${path}/lines`, {}, other);
    assert.deepEqual([added.status, added.headers.get("etag")], [200, '"2"']);
    const submitted = await ask("POST", `${path}/submit`, { "if-match": '"2"' });
    assert.deepEqual([submitted.status, submitted.headers.get("etag")], [200, '"3"']);
    const shown = await ask("GET", path);
    assert.deepEqual(await shown.json(), { cents: 2900, submitted: true });
    assert.equal(shown.headers.get("etag"), '"3"');
    assert.equal((await ask("GET", path, { "if-none-match": '"3"' })).status, 304);
    assert.equal((await ask("GET", path, { "if-none-match": '"2"' })).status, 200);
  },

  async "If-Match: 412 for another version, 428 where it is required"(ask) {
    const path = await place(ask);
    const add = (etag: string) => ask("POST", `${path}/lines`, { "if-match": etag }, line);
    assert.equal((await add('"1"')).status, 200);
    const late = await add('"1"');
    assert.equal(late.status, 412);
    assert.equal(late.headers.get("content-type"), "application/problem+json");
    assert.equal((await read(late)).title, "The order has changed in the meantime");
    for (const etag of ['"of-another-server"', '"0"', 'W/"2"', "2"]) {
      assert.equal((await add(etag)).status, 412);
    }
    assert.equal((await add("*")).status, 200);
    assert.equal((await ask("POST", `${path}/submit`)).status, 428);
    assert.equal((await ask("POST", `${path}/submit`, { "if-match": '"2"' })).status, 412);
    assert.equal((await ask("POST", `${path}/submit`, { "if-match": '"3"' })).status, 200);
    const absent = { "if-match": "*" };
    assert.equal((await ask("POST", "/orders/none/lines", absent, line)).status, 412);
  },

  async "Two writers of one version: one gets 412"(ask) {
    const path = await place(ask);
    const both = [line, other].map((body) =>
      ask("POST", `${path}/lines`, { "if-match": '"1"' }, body)
    );
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    assert.deepEqual(statuses.sort(), [200, 412]);
    assert.equal((await ask("GET", path)).headers.get("etag"), '"2"');
  },

  async "Idempotency-Key: a repeated request gets the same answer and stores nothing"(ask) {
    const key = () => ({ "idempotency-key": `"${crypto.randomUUID()}"` });
    const [placing, adding, submitting] = [key(), key(), key()];
    const first = await answerOf(ask("POST", "/orders", placing, line));
    const path = first.location!;
    const add = { ...adding, "if-match": '"1"' };
    const second = await answerOf(ask("POST", `${path}/lines`, add, other));
    const submit = { ...submitting, "if-match": '"2"' };
    const third = await answerOf(ask("POST", `${path}/submit`, submit));
    assert.deepEqual([first.status, second.status, third.status], [201, 200, 200]);
    // Since then the order has another version, and takes neither lines nor another submission.
    assert.deepEqual(await answerOf(ask("POST", "/orders", placing, line)), first);
    assert.deepEqual(await answerOf(ask("POST", `${path}/lines`, add, other)), second);
    assert.deepEqual(await answerOf(ask("POST", `${path}/lines`, adding, other)), second);
    assert.deepEqual(await answerOf(ask("POST", `${path}/submit`, submit)), third);
    assert.equal((await ask("GET", path)).headers.get("etag"), '"3"');
  },

  async "Idempotency-Key: requests at the same time store one event"(ask) {
    const key = { "idempotency-key": crypto.randomUUID() };
    const placing = Array.from({ length: 6 }, () => answerOf(ask("POST", "/orders", key, line)));
    const [first, ...others] = await Promise.all(placing);
    for (const answer of others) assert.deepEqual(answer, first);
    const path = first!.location!;
    const more = { "idempotency-key": crypto.randomUUID() };
    const adding = Array.from(
      { length: 6 },
      () => answerOf(ask("POST", `${path}/lines`, more, other)),
    );
    for (const { status, etag } of await Promise.all(adding)) {
      assert.deepEqual([status, etag], [200, '"2"']);
    }
    const submit = { "idempotency-key": crypto.randomUUID(), "if-match": '"2"' };
    const ending = Array.from({ length: 6 }, () => answerOf(ask("POST", `${path}/submit`, submit)));
    for (const { status, etag } of await Promise.all(ending)) {
      assert.deepEqual([status, etag], [200, '"3"']);
    }
    const shown = await ask("GET", path);
    assert.equal(shown.headers.get("etag"), '"3"');
    assert.deepEqual(await shown.json(), { cents: 2900, submitted: true });
  },

  async "Idempotency-Key: another request with a used key gets 422"(ask) {
    const key = { "idempotency-key": crypto.randomUUID() };
    const path = (await answerOf(ask("POST", "/orders", key, line))).location!;
    assert.equal((await ask("POST", "/orders", key, other)).status, 422);
    assert.equal((await ask("POST", `${path}/lines`, key, line)).status, 422);
    const elsewhere = await place(ask);
    assert.equal((await ask("POST", `${elsewhere}/lines`, key, line)).status, 422);
    assert.equal((await ask("GET", path)).headers.get("etag"), '"1"');
    assert.equal((await ask("GET", elsewhere)).headers.get("etag"), '"1"');
    const race = { "idempotency-key": crypto.randomUUID() };
    const both = [line, other].map((body) => ask("POST", `${path}/lines`, race, body));
    assert.deepEqual((await Promise.all(both)).map(({ status }) => status).sort(), [200, 422]);
    assert.equal((await ask("GET", path)).headers.get("etag"), '"2"');
  },

  async "A refused request stores nothing, and may be corrected under its key"(ask) {
    const path = await place(ask);
    const key = { "idempotency-key": crypto.randomUUID() };
    assert.equal((await ask("POST", `${path}/lines`, key, "{")).status, 400);
    const invalid = await ask("POST", `${path}/lines`, key, JSON.stringify({ sku: "tea" }));
    assert.equal(invalid.status, 422);
    assert.match(await invalid.text(), /"path":\["quantity"\]/);
    assert.equal((await ask("POST", `${path}/lines`, { "idempotency-key": "" }, line)).status, 400);
    assert.equal((await ask("POST", `${path}/lines`, key, line)).status, 200);
    assert.equal((await ask("POST", `${path}/submit`, { "if-match": '"2"' })).status, 200);
    const late = await ask("POST", `${path}/lines`, {}, line);
    assert.deepEqual([late.status, (await read(late)).title], [
      409,
      "The order has been submitted",
    ]);
    for (const id of ["none", "%00", "a%3Ab", "a%20b"]) {
      assert.equal((await ask("GET", `/orders/${id}`)).status, 404);
    }
    assert.equal((await ask("POST", "/orders/%00/lines", {}, line)).status, 404);
    assert.equal((await ask("GET", "/nothing")).status, 404);
  },

  async "Prefer: wait answers when the list shows the change"(ask) {
    const answer = await ask("POST", "/orders", { prefer: "wait=10" }, line);
    assert.equal(answer.headers.get("preference-applied"), "wait=10");
    const { id } = await read(answer);
    const rows: { id: string }[] = await read(await ask("GET", "/orders"));
    assert(rows.some((row) => row.id === `order:${id}`));
  },

  async "The health of the process and its consumers"(ask) {
    for (const path of ["/health/live", "/health/ready", "/health"]) {
      const answer = await ask("GET", path);
      assert.equal(answer.status, 200);
      const { status, checks } = await read(answer);
      assert.equal(status, "ok");
      if (path === "/health") assert.equal(checks["overview@1"].status, "ok");
      if (path === "/health/ready") assert.equal(checks.database.status, "ok");
    }
  },
};

for (const [name, command] of Object.entries(programs)) {
  test(
    `examples/frameworks/${name}.ts keeps what the guide says`,
    { timeout: 60_000 },
    async (t) => {
      const database = await (name === "hono" ? createDatabase() : createFile());
      const port = await free();
      const env = { DATABASE_URL: database.url, PORT: String(port) };
      const service = startService(command, { cwd: root, env });
      const ask: Ask = (method, path, headers = {}, body) =>
        fetch(`http://127.0.0.1:${port}${path}`, { method, headers, ...(body && { body }) });
      try {
        await service.prints("ready");
        for (const [scenario, check] of Object.entries(scenarios)) {
          await t.test(scenario, () => check(ask));
        }
        await t.test("SIGTERM lets a request finish, then ends", ({ signal }) =>
          ends(service, port, database.url, signal));
      } finally {
        await service.remove();
        await database.drop();
      }
    },
  );
}

/** Asks the program to end in the middle of a request, which waits for the read model besides. */
async function ends(service: Service, port: number, url: string, signal: AbortSignal) {
  const trace = "4bf92f3577b34da6a3ce929d0e0e4736";
  const traceparent = `00-${trace}-00f067aa0ba902b7-01`;
  const sending = request({
    ...{ port, host: "127.0.0.1", method: "POST", path: "/orders/last/lines" },
    headers: {
      ...{ "content-length": line.length, expect: "100-continue", prefer: "wait=10" },
      ...{ traceparent, "idempotency-key": "the-last" },
    },
  });
  const answered = once(sending, "response");
  sending.flushHeaders();
  await once(sending, "continue"); // the program has the request, and waits for its body
  sending.write(line.slice(0, 10));
  const ended = service.end();
  while (!signal.aborted && await answers(port)); // it accepts no more
  sending.end(line.slice(10));
  const [response]: IncomingMessage[] = await answered;
  response!.resume();
  assert.equal(response!.statusCode, 200);
  assert.equal(response!.headers["preference-applied"], "wait=10");
  assert.equal(response!.headers["x-correlation-id"], trace);
  assert.equal(await ended, 0);

  // Nothing is lost, and the list was brought up to date before the end.
  const { store, overview, close } = await open(url);
  try {
    const [event] = await store.load("order:last");
    assert.equal(event?.id, "request:the-last");
    assert.equal(event?.metadata.correlationId, trace);
    assert.equal(event?.metadata["traceparent"], traceparent);
    const rows = await overview.rows() as { id: string; cents: number }[];
    assert.equal(rows.find(({ id }) => id === "order:last")?.cents, 900);
  } finally {
    await close();
  }
}

async function place(ask: Ask): Promise<string> {
  return (await answerOf(ask("POST", "/orders", {}, line))).location!;
}

/** The body of a response. */
async function read(response: Response) {
  return JSON.parse(await response.text());
}

/** What a repeated request must get again. */
async function answerOf(answer: Promise<Response>) {
  const response = await answer;
  return {
    status: response.status,
    etag: response.headers.get("etag"),
    location: response.headers.get("location"),
    body: await read(response),
  };
}

async function createFile() {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-shop-"));
  return {
    url: pathToFileURL(join(folder, "orders.db")).href,
    drop: async () => rmSync(folder, { recursive: true, force: true }),
  };
}
