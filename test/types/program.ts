import { join } from "node:path";
import { root } from "../support/root.ts";

/** How large a program is. */
export interface Size {
  readonly types: number;
  readonly handlers: number;
  readonly aggregates: number;
}

/** Writes a program as a large application would: one store of all events, its handlers, its aggregates. */
export function program({ types, handlers, aggregates }: Size): string {
  const each = types / aggregates;
  const events = Array.from({ length: types }, (_, index) => index);
  const models = Array.from({ length: aggregates }, (_, index) => index);
  const mapped = events.slice(0, handlers / 2);
  const listed = events.slice(handlers / 2, handlers);
  return [
    `import { Aggregate, defineEvent, type EventOf, EventStore, type EventWriter, Repository }`,
    `  from ${JSON.stringify(join(root, "mod.ts"))};`,
    `import { memory } from ${JSON.stringify(join(root, "drivers", "memory", "mod.ts"))};`,
    ...events.map((n) =>
      `interface Data${n} {
        id: string;
        count${n}: number;
        at: Date;
        tree?: { email${n}: string; children: Data${n}[] } | null;
      }
      export const E${n} = defineEvent<Data${n}>()("E${n}", {
        sensitive: {
          subject: ({ id }) => id,
          fields: { count${n}: 0, "tree.email${n}": "", "tree.children.*.at": new Date(0) },
        },
      });`
    ),
    ...models.map((n) => model(n, events.slice(n * each, (n + 1) * each))),
    `export type AppEvent = ${models.map((n) => `Event${n}`).join(" | ")};`,
    `const events = [${events.map((n) => `E${n}`).join(", ")}] as const;`,
    `export const store: EventStore<AppEvent, undefined> = new EventStore(memory(), {`,
    `  events,`,
    `  keys: "mask",`,
    `  subscriptions: {`,
    ...mapped.map((n) =>
      `    E${n}: [async (event, { store }) => {
        await store.append(event.data.id, E${n}({ ...event.data, count${n}: event.version }));
      }],`
    ),
    `  },`,
    `});`,
    `export const listed: EventStore<AppEvent, undefined> = new EventStore(memory(), {`,
    `  events,`,
    `  keys: "mask",`,
    `  subscriptions: [`,
    ...listed.map((n) =>
      `    { types: ["E${n}"], handler: (event) => event.data.count${n}.toFixed(0) },`
    ),
    `  ],`,
    `});`,
    ...models.map((n) =>
      `export const repository${n} = new Repository(store, Aggregate${n});
      export const writer${n}: EventWriter<Event${n}> = store;
      export const result${n} = repository${n}.aggregate("a", (it) => it.run());`
    ),
  ].join("\n");
}

function model(number: number, events: readonly number[]): string {
  return `
    export type Event${number} = ${events.map((n) => `EventOf<typeof E${n}>`).join(" | ")};
    export class Aggregate${number} extends Aggregate<Event${number}> {
      static readonly category = "aggregate${number}";
      #sum = 0;
      protected apply(event: Event${number}): void {
        switch (event.type) {
          ${events.map((n) => `case "E${n}": this.#sum += event.data.count${n}; break;`).join("\n")}
          default: event satisfies never;
        }
      }
      run(): number {
        ${
    events.map((n) => `this.emit(E${n}({ id: this.id, count${n}: 1, at: new Date() }));`).join("\n")
  }
        return this.#sum;
      }
    }`;
}
