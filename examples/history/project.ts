import { Aggregate } from "event-sourcery";
import type { Commit, Tag } from "./commit.ts";
import { BranchesMerged, CommitMade, type ProjectEvent, VersionTagged } from "./events.ts";

/** The history of one git repository. It records every commit once. */
export class Project extends Aggregate<ProjectEvent> {
  static readonly category = "repository";
  readonly #hashes = new Set<string>();
  readonly #tips = new Set<string>();
  readonly #tags = new Map<string, string>();
  readonly #authors = new Set<string>();
  commits = 0;
  merges = 0;
  /** The subject of the newest commit. */
  subject = "";
  /** When the newest event happened. */
  updatedAt: Date = new Date(0);

  /** The names of all tags, in the order they were made. */
  get tags(): readonly string[] {
    return [...this.#tags.keys()];
  }

  /** The ids of all authors. */
  get authors(): ReadonlySet<string> {
    return this.#authors;
  }

  /** The commits without children: all others can be reached from them. */
  get tips(): readonly string[] {
    return [...this.#tips];
  }

  protected apply(event: ProjectEvent): void {
    this.updatedAt = event.createdAt;
    if (event.type === "VersionTagged") {
      this.#tags.delete(event.data.name); // a tag that moved is the newest again
      this.#tags.set(event.data.name, event.data.hash);
      return;
    }
    const { hash, parents, author, subject } = event.data;
    if (event.type === "BranchesMerged") this.merges++;
    else this.commits++;
    this.#hashes.add(hash);
    this.#authors.add(author);
    for (const parent of parents) this.#tips.delete(parent);
    this.#tips.add(hash);
    this.subject = subject;
  }

  /** Reports whether a commit is part of the history. */
  knows(hash: string): boolean {
    return this.#hashes.has(hash);
  }

  /** Records a commit; a known one changes nothing. */
  commit({ hash, parents, subject, dated }: Commit, author: string, createdAt: Date): void {
    if (this.knows(hash)) return;
    const made = parents.length > 1 ? BranchesMerged : CommitMade;
    this.emit(made({ hash, parents: [...parents], author, subject, dated }, { createdAt }));
  }

  /** Records a tag; a known one changes nothing, unless it has moved. */
  tag({ name, hash }: Tag, createdAt: Date): void {
    if (this.#tags.get(name) === hash) return;
    this.emit(VersionTagged({ name, hash }, { createdAt }));
  }
}
