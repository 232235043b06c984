import { join } from "node:path";
import { root } from "../support/root.ts";

/** One line of a program, and what the compiler must say about it; undefined where it must compile. */
export interface Line {
  readonly code: string;
  readonly message?: string;
}

/** A program with the mistakes that newcomers make, each in a line of its own. */
export const mistakes: readonly Line[] = [
  { code: `import * as es from ${JSON.stringify(join(root, "mod.ts"))};` },
  { code: `import { memory } from ${JSON.stringify(join(root, "drivers/memory/mod.ts"))};` },
  { code: `const A = es.defineEvent<{ sku: string }>()("A");` },
  { code: `const B = es.defineEvent("B");` },
  { code: `type Both = es.EventOf<typeof A> | es.EventOf<typeof B>;` },
  { code: `class Order extends es.Aggregate<Both> { protected apply(): void {} }` },
  { code: `const store = new es.EventStore(memory({ db: new Map() }), { events: [A, B] });` },
  { code: `export const orders = new es.Repository(store, Order);` },
  {
    code: `new es.Repository(new es.EventStore(memory(), { events: [A] }), Order);`,
    message: `Property '"the store was made without"' is missing in type 'typeof Order' but ` +
      `required in type '{ readonly "the store was made without": "B"; }'`,
  },
  {
    code: `es.defineEvent<{ cents: number }>("Paid");`,
    message: `Argument of type '"Paid"' is not assignable to parameter of type ` +
      `'"the name goes into a second call: defineEvent<Data>()(name)"'`,
  },
  // Handlers in a module of their own.
  { code: `const handlers: es.ProjectionHandlers<Both, es.DbOf<typeof store>> = {` },
  { code: `  A: ({ data }, { db }) => db.set(data.sku, 1), };` },
  { code: `new es.Projection(store, { name: "model", handlers });` },
  {
    code: `const database: Map<unknown, unknown> = null! as es.DbOf<typeof store>; void database;`,
  },
  // A store as a parameter.
  { code: `export const service = (given: es.EventStore<Both>) => given.position();` },
  { code: `export const position = service(store);` },
  // Without a database there is none, whatever is said.
  {
    code: `memory<Map<string, number>>();`,
    message: `Expected 1 arguments, but got 0`,
  },
  { code: `new es.EventStore(memory(), { events: [A], subscriptions: { A: [(_event, { db }) =>` },
  { code: `  db.set(1, 2)] } });`, message: `'db' is possibly 'undefined'` },
];
