import type { Journal } from "./journal.ts";
import { Noted } from "./relay.ts";
import type { Connected } from "./relay.ts";
import type { Chance } from "./seed.ts";

/**
 * Writes a stretch of random history: to a few streams, most of it published, alone and in transactions, some of which
 * are rolled back. At least three published events are committed in any case: a worker may be stopped at its third.
 *
 * @param steps How many transactions at least.
 */
export async function write(
  { store }: Pick<Connected, "store">,
  journal: Journal,
  chance: Chance,
  steps: number,
): Promise<void> {
  let count = 0;
  for (let step = 0; step < steps || count < 3; step++) {
    const parts = Array.from({ length: 1 + chance.below(2) }, () => ({
      streamId: `s:${chance.below(6)}`,
      events: Array.from(
        { length: 1 + chance.below(3) },
        () => Noted(chance.below(1000), { id: crypto.randomUUID() }),
      ),
      published: chance.below(5) > 0,
    }));
    const ids = parts.flatMap(({ events, published }) =>
      published ? events.map(({ id }) => id) : []
    );
    const rollback = chance.below(4) === 0 ? new Error("rolled back") : undefined;
    try {
      await store.transaction(async ({ store }) => {
        for (const { streamId, events, published } of parts) {
          await store[published ? "publish" : "append"](streamId, events);
        }
        if (rollback !== undefined) throw rollback;
        journal.note({ what: "committing", ids });
      });
      count += ids.length;
    } catch (error) {
      if (error !== rollback) throw error;
    }
  }
}
