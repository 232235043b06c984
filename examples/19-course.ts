// Rules that no single stream can keep: seats, a student's limit, an address, a token, numbers without holes.
import { ConcurrencyError, decision, defineEvent, type EventOf, EventStore } from "event-sourcery";
import { memory } from "event-sourcery/memory";
import assert from "node:assert/strict";

const Opened = defineEvent<{ course: string; seats: number }>()("Opened", {
  tags: ({ course }) => [`course:${course}`],
});
const Subscribed = defineEvent<{ course: string; student: string }>()("Subscribed", {
  tags: ({ course, student }) => [`course:${course}`, `student:${student}`],
});
const Registered = defineEvent<{ email: string }>()("Registered", {
  tags: ({ email }) => [`email:${email.toLowerCase()}`],
});
const Paid = defineEvent<{ token: string; cents: number }>()("Paid", {
  tags: ({ token }) => [`token:${token}`],
});
const Invoiced = defineEvent<{ number: number; cents: number }>()("Invoiced", {
  tags: () => ["invoice"],
});
type CourseEvent = EventOf<typeof Opened | typeof Subscribed>;

/** A course has seats, a student at most two courses: both limits in one decision, and no lock on anything else. */
const subscribe = decision({
  query: ({ course, student }: { course: string; student: string }) => [
    { types: ["Opened", "Subscribed"], tags: [`course:${course}`] },
    { types: ["Subscribed"], tags: [`student:${student}`] },
  ],
  initialState: () => ({ seats: new Map<string, number>(), pairs: [] as string[][] }),
  evolve(state, event: CourseEvent) {
    const { course } = event.data;
    if (event.type === "Opened") {
      return { ...state, seats: new Map(state.seats).set(course, event.data.seats) };
    }
    return { ...state, pairs: [...state.pairs, [course, event.data.student]] };
  },
  decide({ course, student }, { seats, pairs }) {
    const taken = pairs.filter(([other]) => other === course).length;
    const courses = pairs.filter(([, other]) => other === student);
    if (courses.some(([other]) => other === course)) return [];
    if (taken >= (seats.get(course) ?? 0)) throw new RangeError(`${course} is full`);
    if (courses.length >= 2) throw new RangeError(`${student} has two courses`);
    return {
      streamId: `subscription:${course}-${student}`,
      events: Subscribed({ course, student }),
    };
  },
});

/** Invoices are numbered without holes: the next number follows from the last invoice, and nobody else takes it. */
const invoice = decision({
  query: () => ({ types: ["Invoiced"] }),
  initialState: () => 0,
  evolve: (_, { data }: EventOf<typeof Invoiced>) => data.number,
  decide: (cents: number, last) => {
    const number = last + 1;
    return { streamId: `invoice:${number}`, events: Invoiced({ number, cents }) };
  },
  retries: 20,
});

const store = new EventStore(memory(), {
  events: [Opened, Subscribed, Registered, Paid, Invoiced],
});

// Twenty students want the three seats of a course at once.
await store.append("course:sql", Opened({ course: "sql", seats: 3 }));
const results = await Promise.allSettled(
  Array.from(
    { length: 20 },
    (_, index) => subscribe.handle(store, { course: "sql", student: `s${index}` }),
  ),
);
const { events: seats } = await store.query({ types: ["Subscribed"], tags: ["course:sql"] });
assert.equal(seats.length, 3);
const refused = results.flatMap((result) => result.status === "rejected" ? [result.reason] : []);
assert.ok(refused.length === 17 && refused.every((error) => error instanceof RangeError));

// An address belongs to one account. By hand: `after: 0` says that there is no match at all.
const register = (id: string, email: string) => {
  const query = { tags: [`email:${email.toLowerCase()}`] };
  const condition = { query, after: 0 };
  return store.append(`account:${id}`, Registered({ email }), { condition });
};
await register("1", "ada@example.org");
await assert.rejects(register("2", "Ada@example.org"), ConcurrencyError);

// A request that comes twice, with its token, is stored once, whatever ids its events got.
const pay = async (token: string, cents: number): Promise<boolean> => {
  const query = { tags: [`token:${token}`] };
  const { events, condition } = await store.query(query);
  if (events.length > 0) return false;
  await store.append("payment:7", Paid({ token, cents }), { condition });
  return true;
};
assert.deepEqual([await pay("t-1", 500), await pay("t-1", 500)], [true, false]);

await Promise.all([100, 200, 300, 400].map((cents) => invoice.handle(store, cents)));
const { events: invoices } = await store.query({ types: ["Invoiced"] });
assert.deepEqual(invoices.map(({ data }) => data.number), [1, 2, 3, 4]);
console.log(
  "Three of twenty got a seat, one address is one account, and four invoices have no hole.",
);
