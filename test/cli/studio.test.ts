import assert from "node:assert/strict";
import { get, type IncomingMessage } from "node:http";
import { test } from "node:test";
import { shopFile } from "../support/operated.ts";
import { type } from "../support/terminal.ts";

/** Runs the command on the shop, and gives the address that it prints. */
async function served(
  options: string,
  work: (address: string, database: string) => Promise<void>,
): Promise<void> {
  const { url, drop } = await shopFile();
  const stop = new AbortController();
  let ready: (address: string) => void;
  const address = new Promise<string>((resolve) => ready = resolve);
  const stdout = {
    write: (text: string) => {
      const found = /http:\S+/.exec(text)?.[0];
      if (found !== undefined) ready(found);
    },
  };
  const running = type(`studio --port 0 --url ${url}${options}`, { stdout, signal: stop.signal });
  try {
    const ended = running.then(({ stderr }) => Promise.reject(new Error(stderr)));
    await work(await Promise.race([address, ended]), url);
  } finally {
    stop.abort();
    await running.finally(drop);
  }
}

/** Asks with a Host of one's own, which fetch does not allow. */
const ask = (url: string, host: string) =>
  new Promise<IncomingMessage>((resolve, reject) =>
    get(url, { headers: { host } }, resolve).on("error", reject)
  );

test(
  "studio serves the store to who has the key, on this machine alone",
  { timeout: 30_000 },
  async () => {
    await served("", async (address) => {
      const url = new URL(address);
      assert.equal(url.hostname, "127.0.0.1");
      assert.match(url.search, /^\?key=[0-9a-f]{32}$/);
      const entered = await fetch(address, { redirect: "manual" });
      assert.equal(entered.status, 303);
      assert.equal(entered.headers.get("location"), "/");
      const given = entered.headers.get("set-cookie")!;
      assert.match(given, /; HttpOnly; SameSite=Strict; Path=\/$/);
      const cookie = given.slice(0, given.indexOf(";"));

      const page = await (await fetch(url.origin, { headers: { cookie } })).text();
      assert.match(page, /Read-only/);
      assert.match(page, /OrderPlaced/);
      assert.doesNotMatch(page, /@example/);
      const live = await fetch(`${url.origin}/live`, { headers: { cookie } });
      assert.match(live.headers.get("content-type")!, /^text\/event-stream/);
      await live.body!.cancel();

      for (const headers of [{}, { cookie: "a=b" }, { cookie: `${cookie}0` }]) {
        assert.equal((await fetch(url.origin, { headers })).status, 403);
      }
      assert.equal((await fetch(`${url.origin}/?key=0`)).status, 403);
      const strange = await ask(address, "evil.example");
      assert.equal(strange.statusCode, 403);
      assert.equal(strange.headers["set-cookie"], undefined);
      strange.resume();
      const init = {
        method: "POST",
        headers: { cookie },
        body: new URLSearchParams({ name: "mails" }),
      };
      assert.equal((await fetch(`${url.origin}/redrive`, init)).status, 403);
      const long = { ...init, body: "x".repeat(200_000) };
      assert.equal((await fetch(`${url.origin}/redrive`, long)).status, 413);
    });
  },
);

test("studio shows by --shape no data, and offers by --actions what may be done", {
  timeout: 30_000,
}, async () => {
  await served(" --shape --actions", async (address) => {
    const entered = await fetch(address, { redirect: "manual" });
    const cookie = entered.headers.get("set-cookie")!.split(";")[0]!;
    const page = await (await fetch(`${new URL(address).origin}/log`, { headers: { cookie } }))
      .text();
    assert.match(page, /Actions allowed.*Data by type and length/);
    assert.match(page, /string\(\d+\)/);
  });
});

test("studio refuses what it cannot do", { timeout: 30_000 }, async () => {
  assert.equal((await type("studio --port 70000 --url file:none.db")).code, 2);
  await served(" --actions", async (address, database) => {
    const { port } = new URL(address);
    const taken = await type(`studio --port ${port} --url ${database}`);
    assert.equal(taken.code, 2);
    assert.match(taken.stderr, /Port \d+ cannot be used/);
  });
});
