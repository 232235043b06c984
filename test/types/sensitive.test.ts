import assert from "node:assert/strict";
import { test } from "node:test";
import * as v from "valibot";
import { z } from "zod";
import { defineEvent, type SensitiveFields } from "../../mod.ts";
import { same } from "./expect.ts";

interface Line {
  readonly note: string;
  readonly tags?: readonly string[];
}

interface Order {
  readonly customer: string;
  readonly email: string | null;
  readonly born?: Date | undefined;
  readonly amount: bigint;
  readonly address: { readonly street: string; readonly geo?: { readonly lat: number } };
  readonly lines: readonly Line[];
  readonly extra: Readonly<Record<string, { readonly value: string }>>;
  readonly way: { readonly kind: "post"; readonly to: string } | { readonly kind: "pick up" };
  readonly seen: ReadonlyMap<string, string>;
}

/** A tree of any depth. */
interface Tree {
  readonly name: string;
  readonly left?: Tree;
  readonly right?: Tree;
  readonly children: readonly Tree[];
}

const subject = ({ customer }: Order) => customer;

test("paths lead through objects, lists, records, unions and what is optional", () => {
  defineEvent<Order>()("Placed", {
    sensitive: {
      subject,
      fields: {
        email: null,
        born: undefined,
        amount: 0n,
        "address.street": "[gone]",
        "address.geo.lat": 0,
        "lines.*.note": "",
        "lines.*.tags.*": "",
        "extra.*.value": "",
        "way.to": "",
        seen: new Map(),
      },
    },
  });
  defineEvent<Order>()("Placed", {
    sensitive: [
      { subject, fields: { lines: [], address: { street: "" } } },
      { subject: () => undefined, fields: { "extra.*": { value: "" } } },
    ],
  });
  assert.ok(true);
});

test("a wrong path, mask or subject does not compile", () => {
  const refused: SensitiveFields<Order>[] = [
    // @ts-expect-error: there is no such path
    { "address.town": "" },
    // @ts-expect-error: an item of a list is "*"
    { "lines.0.note": "" },
    // @ts-expect-error: a mask is of the field's type
    { "address.street": null },
    // @ts-expect-error: a mask is of the field's type
    { "address.street": 5 },
    // @ts-expect-error: nothing is inside of a Date
    { "born.getTime": () => 5 },
    // @ts-expect-error: nothing is inside of a Map
    { "seen.size": 5 },
  ];
  assert.ok(refused.length > 0);
  defineEvent<Order>()("Placed", {
    // @ts-expect-error: a subject is a string
    sensitive: { subject: ({ lines }) => lines.length, fields: {} },
  });
  defineEvent<Order>()("Placed", {
    // @ts-expect-error: there is no such field
    sensitive: { subject: ({ nobody }) => nobody, fields: {} },
  });
});

test("what a schema returns counts, not what it takes", () => {
  const schema = z.object({ id: z.string(), born: z.string().transform((text) => new Date(text)) });
  defineEvent("Born", schema, {
    sensitive: { subject: ({ id }) => id, fields: { born: new Date(0) } },
  });
  defineEvent("Born", v.object({ id: v.string(), email: v.nullable(v.string()) }), {
    sensitive: { subject: (data) => data.id, fields: { email: null } },
  });
  // @ts-expect-error: it is stored as a Date
  defineEvent("Born", schema, { sensitive: { subject: () => "u", fields: { born: "" } } });
});

test("recursive data has paths of some levels, data of any kind any path", () => {
  defineEvent<Tree>()("Grown", {
    sensitive: {
      subject: ({ name }) => name,
      fields: { "left.right.name": "", "children.*.children.*.name": "" },
    },
  });
  defineEvent<unknown>()("Anything", {
    sensitive: { subject: () => "u", fields: { "any.path": 5 } },
  });
  same<SensitiveFields<unknown>, Readonly<Record<string, unknown>>>();
});
