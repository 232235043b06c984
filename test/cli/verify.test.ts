import { defineEvent, type Driver, EventStore, Subscription } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import { subjectKeys } from "event-sourcery/privacy";
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Finding } from "../../src/cli/verify/finding.ts";
import { verify } from "../../src/cli/verify/verify.ts";
import { damages } from "../support/damage.ts";
import { engines, openLibsql, openPostgres } from "../support/engine.ts";
import { shopFile } from "../support/operated.ts";
import { type } from "../support/terminal.ts";

const timeout = 60_000;

const Placed = defineEvent<{ readonly sku: string; readonly at: Date }>()("Placed", {
  upcast: [(old) => old as { sku: string; at: Date }],
});
const Joined = defineEvent<{ readonly name: string; readonly mail: string }>()("Joined", {
  sensitive: { subject: ({ name }) => name, fields: { mail: "" } },
});
const placed = (id: string, init: object = {}) =>
  Placed({ sku: id, at: new Date(0) }, { id, ...init });

const storeOn = (driver: Driver) =>
  new EventStore(driver, { events: [Placed, Joined], keys: subjectKeys() });

/** Stores events of all kinds, with what consumers keep of them. */
async function fill(driver: Driver, times: number): Promise<void> {
  const store = storeOn(driver);
  for (let n = 0; n < times; n++) {
    const id = (name: string) => `${name}${n === 0 ? "" : n}`;
    await store.append(`order:${id("a")}`, [
      placed(id("a1"), { tags: ["customer:1", "tea"] }),
      placed(id("a2"), { metadata: { causationId: id("a1"), correlationId: id("a1") } }),
      placed(id("a3")),
    ]);
    await store.append(id("plain"), [placed(id("b1")), placed(id("b2"))]);
    await store.append(`person:${n}`, Joined({ name: `p${n}`, mail: "x@y" }, { id: id("p1") }));
    const tenant = store.scope({ tenantId: "acme" });
    await tenant.append(`order:${id("a")}`, [
      placed(id("a1"), { tags: ["tea"] }),
      placed(id("t2")),
    ]);
  }
  const keeps = new Subscription(store, {
    name: "mails",
    retry: { attempts: 1 },
    types: ["Joined"],
    handler() {
      throw new Error("no");
    },
  });
  await keeps.drain();
}

async function findings(
  driver: Driver,
  options: Parameters<typeof verify>[1] = {},
): Promise<readonly Finding[]> {
  const found: Finding[] = [];
  for await (const one of verify(storeOn(driver), { deep: true, ...options })) found.push(one);
  return found;
}

for (const [name, open] of Object.entries(engines)) {
  test(`${name}: verify() finds nothing in a sound store`, { timeout }, async () => {
    const engine = await open();
    try {
      const { driver, reader } = await engine.place();
      await fill(driver, 20);
      const store = storeOn(driver);
      const many = Array.from(
        { length: 100 },
        (_, n) => placed(`m${n}`, { tags: ["tea", `n:${n}`] }),
      );
      for (let n = 0; n < 20; n++) {
        await store.scope({ tenantId: `t${n}` }).append(`many:${n}`, many);
      }
      await store.schedule("order:late", placed("late"), { at: new Date(Date.now() + 1e9) });
      await store.append("deleted", placed("gone", { tags: ["gone"] }));
      await store.delete("deleted");
      assert.ok(await store.position() > 2000);
      const seen: number[] = [];
      const onProgress = ({ position }: { readonly position: number }) => void seen.push(position);
      assert.deepEqual(await findings(reader, { onProgress }), []);
      assert.equal(seen.at(-1), await store.position());
    } finally {
      await engine.close();
    }
  });

  test(`${name}: verify() finds each kind of damage, and that only`, { timeout }, async (t) => {
    const engine = await open();
    try {
      for (const { what, check, on, damage } of damages) {
        if (on !== undefined && on !== name) continue;
        await t.test(what, async () => {
          const { driver, reader, run, table } = await engine.place();
          await fill(driver, 1);
          await run(damage(table, engine.name));
          const found = await findings(reader);
          const told = found.filter(({ level }) => level !== "skipped");
          assert.deepEqual(told.map((one) => one.check), [check], JSON.stringify(found, null, 1));
          assert.ok(told[0]!.message !== "" && told[0]!.advice !== "");
        });
      }
    } finally {
      await engine.close();
    }
  });

  test(
    `${name}: verify() goes on from a position, and looks at nothing before it`,
    { timeout },
    async () => {
      const engine = await open();
      try {
        const { driver, reader, run, table } = await engine.place();
        await fill(driver, 1);
        await run(
          `update ${table("events")} set slot = 1024 where id in ('a1', 'b2') and tenant_id = ''`,
        );
        const found = await findings(reader);
        assert.deepEqual(found.map(({ check }) => check), ["slot", "slot"]);
        const since = (await driver.find!("", "a1"))!.position;
        assert.equal((await findings(reader, { since })).length, 1);
        assert.deepEqual(await findings(reader, { deep: false }), []);
      } finally {
        await engine.close();
      }
    },
  );
}

test("verify() tells of a clock that differs from the database's", { timeout }, async () => {
  const engine = await openLibsql();
  try {
    const { driver } = await engine.place();
    const found = await findings(driver, { clock: () => Date.now() + 60_000 });
    assert.deepEqual(found.map(({ level, check }) => [level, check]), [["warning", "clock"]]);
    assert.match(found[0]!.message, /-60 s/);
  } finally {
    await engine.close();
  }
});

test(
  "Postgres: verify() names what holds back the log, and who may change history",
  { timeout },
  async () => {
    const engine = await openPostgres();
    try {
      const { driver, reader, run, table } = await engine.place();
      const store = storeOn(driver);
      const [transaction] = await store.transaction(async ({ store: inside }) => {
        await inside.append("a", placed("1"));
        await storeOn(driver).append("b", placed("2"));
        const quiet = await findings(reader);
        assert.deepEqual(quiet.filter(({ level }) => level !== "skipped"), []);
        // Only who may see other roles' sessions knows for how long they are open.
        return (await findings(driver, { patience: 0 })).filter(({ check }) =>
          check === "transaction"
        );
      });
      assert.match(transaction!.where, /^process \d+$/);
      assert.match(transaction!.message, /settled up to 0 of 2/);
      const [superuser] = await findings(driver);
      assert.deepEqual([superuser!.check, superuser!.level], ["role", "warning"]);
      assert.deepEqual(await findings(reader), []);
      await run(`grant update on ${table("events")} to public`);
      const [role] = await findings(reader);
      assert.match(role!.advice, /^revoke update on "place_1"."events" from reader_\w+;/);
    } finally {
      await engine.close();
    }
  },
);

test("verify() says what it does not check", async () => {
  const driver = memory();
  await fill(driver, 1);
  const found = await findings(driver, { typed: false });
  assert.deepEqual(found.map(({ level, check }) => [level, check]), [
    ["skipped", "type"],
    ["skipped", "table"],
  ]);
});

test("verify --digest tells what the log comes to, after looking at all of it", async () => {
  const { url, drop } = await shopFile();
  try {
    const line = ["verify", "--deep", "--digest", "--url", url];
    const { code, stdout, stderr } = await type(line);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^events 1–14, to position 14 {2}[0-9a-f]{64}$/m);
    const { stdout: json } = await type([...line, "--json"]);
    const { digest, ...part } = JSON.parse(json.trimEnd().split("\n").at(-1)!);
    assert.deepEqual(part, { first: 1, last: 14, position: 14 });
    assert.ok(stdout.includes(digest));
    assert.equal((await type(["verify", "--digest", "--url", url])).code, 2);
  } finally {
    drop();
  }
});
