import { defineEvent } from "../event/define.ts";
import type { Event } from "../event/event.ts";
import type { EventType } from "../event/type.ts";

/**
 * Tells read models that a subject was forgotten: a store that has it among its events appends one for each subject, to the
 * stream `$subject:<subject>`.
 *
 * @category Privacy
 *
 * @example A read model that forgets, too
 * ```ts
 * import { defineEvent, EventStore, Projection } from "event-sourcery";
 * import { memory } from "event-sourcery/memory";
 * import { SubjectForgotten, subjectKeys } from "event-sourcery/privacy";
 * import assert from "node:assert/strict";
 *
 * const Registered = defineEvent<{ userId: string; email: string | null }>()("Registered", {
 *   sensitive: { subject: (data) => data.userId, fields: { email: null } },
 * });
 * const emails = new Map<string, string | null>();
 * const store = new EventStore(memory({ db: emails }), {
 *   events: [Registered, SubjectForgotten],
 *   keys: subjectKeys(),
 * });
 * const list = new Projection(store, {
 *   name: "emails",
 *   handlers: {
 *     Registered: ({ data }, { db }) => db.set(data.userId, data.email),
 *     SubjectForgotten: ({ data }, { db }) => db.delete(data.subject),
 *   },
 *   reset: ({ db }) => db.clear(),
 * });
 * await store.append("user:42", Registered({ userId: "u-42", email: "ada@example.org" }));
 * await store.forget("u-42");
 * await list.drain();
 * assert.equal(emails.size, 0);
 * const [registered] = await store.load("user:42");
 * assert.deepEqual(registered?.data, { userId: "u-42", email: null });
 * ```
 */
export const SubjectForgotten: EventType<
  Event<"SubjectForgotten", { readonly subject: string }>
> = defineEvent<{ readonly subject: string }>()("SubjectForgotten");
