import assert from "node:assert/strict";
import { collect } from "../../store/read.ts";
import { type Cases, Noted, notes } from "../rig.ts";

/** Looking for damage: a sound store shows none. */
export const examiner: Cases = {
  async "examiner shows events as they are stored, and nothing missing"({ driver, store }) {
    const cause = Noted({ at: new Date(0) }, { id: "cause", tags: ["a", "b"] });
    await store.append("s:1", [cause, Noted(1, { metadata: { causationId: "cause" } })]);
    await store.scope({ tenantId: "other" }).append("s:1", notes(3));
    const all = await collect(store.readAll());
    assert.equal(all.length, 5);
    const { examiner } = driver;
    if (examiner === undefined) return;
    const { missing, latest, needed = 0 } = await examiner.tables();
    assert.deepEqual(missing, []);
    assert.ok(needed <= latest);
    const { head, last, settled, ahead, orphans, leases } = await examiner.state();
    const { position: end } = all.at(-1)!;
    assert.deepEqual([head, last, settled], [end, end, end]);
    assert.deepEqual([ahead, orphans, leases], [[], [], []]);
    assert.deepEqual(await examiner.types(), [{ type: "Noted", schemaVersion: 1 }]);
    const query = { after: 0, until: end, limit: 2 };
    const first = await examiner.events(query);
    const rest = await examiner.events({ ...query, after: first.scanned, limit: 100 });
    assert.equal(first.events.length, 2);
    assert.equal(rest.scanned, query.until);
    const found = [...first.events, ...rest.events];
    const facts = ["position", "version", "id", "streamId", "tenantId"] as const;
    const pick = (event: Readonly<Record<typeof facts[number], unknown>>) =>
      facts.map((fact) => event[fact]);
    assert.deepEqual(found.map(pick), all.map(pick));
    const [one, two] = found;
    assert.deepEqual([one!.category, one!.previous, one!.untagged], ["s", undefined, []]);
    assert.deepEqual(JSON.parse(one!.tags!), ["a", "b"]);
    assert.deepEqual(JSON.parse(one!.codec!), { "/data/at": "date" });
    assert.deepEqual(two!.cause, { position: one!.position, correlationId: "cause" });
    assert.equal(two!.previous, one!.position);
    const walked = await examiner.tags({ after: undefined, limit: 1 });
    const entry = { tenantId: "", tag: "a", position: one!.position };
    assert.deepEqual(walked, { surplus: [], last: entry });
    const after = await examiner.tags({ after: { ...entry, tag: "b" }, limit: 9 });
    assert.equal(after.last, undefined);
  },
};
