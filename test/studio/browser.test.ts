// In a real browser: what a person does with the studio, that nothing hostile is executed, and how it looks.
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { env } from "node:process";
import { after, test } from "node:test";
import { type Browser, chromium } from "playwright-core";
import { root } from "../support/root.ts";
import { serve, type Served } from "../support/serve.ts";
import { hostile } from "../support/hostile.ts";
import { shopWindow } from "../support/studio.ts";

const found = [
  env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
]
  .find((path) => path !== undefined && existsSync(path));
const skip = found === undefined && "there is no Chromium: install it, or set CHROMIUM to its path";
const options = { skip, timeout: 60_000 };

/** Where the pictures are kept, for people to look at. */
const pictures = join(root, "test/studio/pictures");

let browser: Browser | undefined;
const servers: Served[] = [];
after(async () => {
  await browser?.close();
  for (const server of servers) await server.close();
});

/** Opens a page on a studio; what it reports of errors is collected. */
async function open(
  handler: (request: Request) => Promise<Response>,
  { width = 1280, scheme = "light" as "light" | "dark", javaScriptEnabled = true } = {},
) {
  browser ??= await chromium.launch({ executablePath: found!, args: ["--no-sandbox"] });
  const server = await serve(handler);
  servers.push(server);
  const context = await browser.newContext({
    baseURL: server.url,
    colorScheme: scheme,
    viewport: { width, height: 860 },
    reducedMotion: "reduce",
    javaScriptEnabled,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const errors: string[] = [];
  page.on("pageerror", ({ message }) => errors.push(message));
  page.on("dialog", (dialog) => {
    errors.push(`dialog ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("console", (message) => {
    // Pages that are not found are part of the tests.
    if (message.type() === "error" && !/status of (404|503)/.test(message.text())) {
      errors.push(message.text());
    }
  });
  return { page, errors };
}

test("a person finds an order, walks its versions, and follows its trace", options, async () => {
  const { handler } = await shopWindow({ basePath: "/studio" }, 12);
  const { page, errors } = await open(handler);
  await page.goto("/studio");
  await page.keyboard.press("/");
  await page.keyboard.type("order:1204");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/studio/stream?id=order:1204");
  assert.equal(await page.textContent("h1"), "order:1204");
  const versions = await page.locator(".timeline > li").count();
  await page.click('a.version:text-is("3")');
  assert.equal(await page.textContent("#state"), "State at version 3");
  const state = async () => (await page.textContent("pre.lines"))!;
  const third = await state();
  assert.match(third, /\+.*"total": 18550/);
  await page.keyboard.press("[");
  await page.waitForURL("**at=2**");
  assert.equal(await page.textContent("#state"), "State at version 2");
  assert.doesNotMatch(await state(), /18550/);
  await page.keyboard.press("]");
  await page.waitForURL("**at=3**");
  assert.equal(await state(), third);
  await page.fill("#from", "0");
  await page.fill("#at", String(versions));
  await page.click("text=Compare >> nth=-1");
  assert.match((await page.textContent("#state"))!, new RegExp(`From version 0 to ${versions}`));
  await page.goBack();

  await page.click("details[open] dl a >> nth=1"); // its trace
  assert.match((await page.textContent("h1 + .facts"))!, /events in \d streams/);
  const events = await page.locator("tbody tr").allTextContents();
  assert.match(events[0]!, /OrderPlaced/);
  assert.equal(events.length, versions + 1); // and its invoice
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/studio/event?id=*");
  assert.match((await page.textContent("h1"))!, /LineAdded/);
  await page.keyboard.press("g");
  await page.keyboard.press("c");
  await page.waitForURL("**/studio/consumers");
  await page.keyboard.press("?");
  assert.ok(await page.isVisible("dialog#keys"));
  assert.deepEqual(errors, []);
});

for (const javaScriptEnabled of [true, false]) {
  const how = javaScriptEnabled ? "" : ", without scripts";
  test(`a person tries a parked group again, and gives up an event${how}`, options, async () => {
    const { handler, consumers, mend } = await shopWindow({}, 30);
    const { page, errors } = await open(handler, { javaScriptEnabled });
    await page.goto("/");
    await page.click("text=look after them");
    const before = (await consumers[1]!.parked()).length;
    await page.click("summary >> nth=0");
    await page.click("text=Give up… >> nth=0");
    const stream = await page.textContent(".note .id");
    await page.fill("#typed", stream!);
    await page.click("button.danger");
    assert.match((await page.textContent("[role=status]"))!, /given up/);
    await consumers[1]!.drain();
    mend();
    await page.reload();
    await page.click("button.main >> nth=0");
    assert.match((await page.textContent("main [role=status]"))!, /streams? (is|are) tried again/);
    await consumers[1]!.drain();
    assert.ok((await consumers[1]!.parked()).length < before - 1);
    assert.deepEqual(errors, []);
  });
}

test("new events appear by themselves", options, async () => {
  const { handler, store, OrderPlaced } = await shopWindow({}, 3);
  const { page, errors } = await open(handler);
  await page.goto("/log");
  await page.locator("#live", { hasText: "Live" }).waitFor();
  const placed = { customer: "Zoë", email: "zoe@example.com", channel: "<b>live</b>" };
  await store.append("order:new", OrderPlaced(placed));
  const row = page.locator("tr.fresh");
  await row.waitFor();
  assert.match((await row.textContent())!, /OrderPlaced.*order:new.*Zoë.*hidden.*<b>live<\/b>/);
  assert.match((await page.textContent("tbody tr"))!, /order:new/); // the first row
  assert.deepEqual(errors, []);
});

test("a consumer's page draws how far it is behind", options, async () => {
  const { handler, store, OrderPlaced } = await shopWindow({}, 3);
  const { page, errors } = await open(handler);
  await page.clock.install();
  await page.goto("/consumer?name=order-list");
  const now = page.locator("#lag");
  const behind = async () =>
    Number(/^(\d+) now, \d+ at most$/.exec((await now.textContent())!)?.[1]);
  while (Number.isNaN(await behind()));
  const before = await behind();
  await store.append("order:new", OrderPlaced({ customer: "Zoë", email: "z@z", channel: "web" }));
  while ((await behind()) !== before + 1) await page.clock.runFor(5000);
  assert.match((await page.getAttribute("[data-lag] polyline", "points"))!, /^0\.0,\d.* \d/);
  assert.match((await page.getAttribute("[data-lag]", "aria-label"))!, /^Positions behind: /);
  await page.locator("dl.facts", { hasText: "projection" }).waitFor();
  assert.deepEqual(errors, []);
});

test("nothing that a stranger has named is executed, on any page", options, async () => {
  const { handler, paths } = await hostile();
  const { page, errors } = await open(handler);
  for (const path of paths) {
    await page.goto(path);
    await page.locator("main").waitFor();
    await page.evaluate(
      "for (const fold of document.querySelectorAll('details')) fold.open = true",
    );
    assert.equal(await page.locator("main script, main img").count(), 0, path);
  }
  assert.deepEqual(errors, []);
});

test("every page is pictured in both schemes, and fits a telephone", options, async () => {
  const { handler, inspector } = await shopWindow();
  const { events } = await inspector.log({ types: ["PaymentTaken"], limit: 2 });
  const { id, metadata } = events[1]!.stored;
  const pages = {
    overview: "/",
    log: "/log",
    streams: "/streams",
    stream: "/stream?id=order:1204&at=3",
    event: `/event?id=${id}`,
    trace: `/trace?id=${metadata["correlationId"]}`,
    consumers: "/consumers",
    consumer: "/consumer?name=invoices",
    parked: "/parked",
    discard: "/discard?name=invoices&stream=order:1203",
    rebuild: "/rebuild?name=order-list",
    catalogue: "/catalogue",
    missing: "/stream?id=order:0",
  };
  mkdirSync(pictures, { recursive: true });
  for (const [width, scheme] of [[1280, "light"], [1280, "dark"], [420, "light"]] as const) {
    const { page, errors } = await open(handler, { width, scheme });
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(path);
      const wide = await page.evaluate("document.documentElement.scrollWidth");
      assert.ok(Number(wide) <= width, `${name} is ${wide} wide`);
      const file = join(pictures, `${name}-${width}-${scheme}.png`);
      if (!["log", "streams"].includes(name) || width > 1000) await page.screenshot({ path: file });
    }
    assert.deepEqual(errors, []);
  }
});
