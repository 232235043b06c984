/** A commit, as git reports it. */
export interface Commit {
  readonly hash: string;
  readonly parents: readonly string[];
  readonly name: string;
  readonly email: string;
  /** The time of the committer's clock, which may be wrong. */
  readonly dated: Date;
  readonly subject: string;
}

/** A tag of a commit, as git reports it. */
export interface Tag {
  readonly name: string;
  readonly hash: string;
  readonly dated: Date;
}

/** The new part of a repository's history. */
export interface History {
  /** The number of new commits. */
  readonly count: number;
  /** The commits, parents before children. */
  readonly commits: AsyncIterable<Commit>;
  /** All tags that name a commit, oldest first. */
  readonly tags: readonly Tag[];
}

/** The source of a history. */
export interface Source {
  /** Its name, as shown to users. */
  readonly name: string;
  /** Its location, as shown to users. */
  readonly place: string;
  /** A remark that is shown with the result. */
  readonly note: string | undefined;
  /** Reads the commits that cannot be reached from the already known ones. */
  read(known: readonly string[]): Promise<History>;
}

/** Converts git's seconds since 1970 to a date; an invalid time becomes 1970. */
export function date(seconds: string): Date {
  const time = Number(seconds) * 1000;
  return new Date(time >= 0 && time < 253_402_300_800_000 ? time : 0); // up to the year 9999
}
