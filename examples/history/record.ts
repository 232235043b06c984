import { type EventStore, Repository } from "event-sourcery";
import type { History, Tag } from "./commit.ts";
import { Contributor, contributorOf } from "./contributor.ts";
import type { HistoryEvent } from "./events.ts";
import type { Db } from "./model.ts";
import { Project } from "./project.ts";
import { type Dated, steady } from "./steady.ts";

/** A store of histories. */
export type HistoryStore = EventStore<HistoryEvent, Db>;

/** How many commits go into one transaction: a crash loses less than a second of work, and transactions stay cheap. */
const batch = 1000;

/**
 * Turns the new commits and tags of a history into events, and appends them.
 *
 * @param onProgress Receives the number of recorded commits after each batch.
 * @returns The number of appended events.
 * @throws {ConcurrencyError} If another process records the same history at the same time.
 */
export async function record(
  store: HistoryStore,
  project: Project,
  history: History,
  onProgress: (done: number) => void,
): Promise<number> {
  const now = new Date();
  const recorder = new Recorder(store, project);
  // A date in the future is wrong: such a tag gets the time of its commit.
  const believed = history.tags.map((tag) =>
    tag.dated > now ? { ...tag, dated: new Date(0) } : tag
  );
  const tags = new Set(believed.sort((a, b) => a.dated.getTime() - b.dated.getTime()));
  const tag = (until: number): void => {
    for (const tag of tags) {
      if (tag.dated.getTime() >= until) break; // the others are even later
      if (!project.knows(tag.hash)) continue; // its commit is not recorded yet
      recorder.tag(tag);
      tags.delete(tag);
    }
  };
  let done = 0;
  for await (const dated of steady(history.commits, project.updatedAt, now)) {
    tag(dated.at.getTime());
    await recorder.commit(dated);
    if (++done % batch === 0) {
      await recorder.save();
      onProgress(done);
    }
  }
  tag(Infinity);
  await recorder.save();
  onProgress(done);
  return recorder.events;
}

/** Caches the aggregates of a history, so that each is loaded once. */
class Recorder {
  readonly #store: HistoryStore;
  readonly #project: Project;
  readonly #contributors = new Map<string, Contributor>();
  readonly #changed = new Set<Contributor>();
  events = 0;

  constructor(store: HistoryStore, project: Project) {
    this.#store = store;
    this.#project = project;
  }

  async commit({ commit, at }: Dated): Promise<void> {
    if (this.#project.knows(commit.hash)) return;
    const id = contributorOf(commit);
    const contributor = this.#contributors.get(id) ?? await this.#load(id);
    contributor.contribute(commit, at);
    this.#changed.add(contributor);
    this.#project.commit(commit, id, at);
  }

  tag(tag: Tag): void {
    const at = Math.max(this.#project.updatedAt.getTime(), tag.dated.getTime());
    this.#project.tag(tag, new Date(at));
  }

  /** Stores the changes of all aggregates since the last call, atomically. */
  async save(): Promise<void> {
    await this.#store.transaction(async ({ store }) => {
      const contributors = new Repository(store, Contributor);
      this.events += this.#project.changes.length;
      await new Repository(store, Project).save(this.#project);
      for (const contributor of this.#changed) {
        this.events += contributor.changes.length;
        await contributors.save(contributor);
      }
    });
    this.#changed.clear();
  }

  async #load(id: string): Promise<Contributor> {
    const contributor = await new Repository(this.#store, Contributor).aggregate(id, (it) => it);
    this.#contributors.set(id, contributor);
    return contributor;
  }
}
