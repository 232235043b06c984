/** A commit, as git tells it. */
export interface Commit {
  readonly hash: string;
  readonly parents: readonly string[];
  readonly name: string;
  readonly email: string;
  /** What the committer's clock said: nobody checked it. */
  readonly dated: Date;
  readonly subject: string;
}

/** A name for a commit, as git tells it. */
export interface Tag {
  readonly name: string;
  readonly hash: string;
  readonly dated: Date;
}

/** What is new in a repository. */
export interface History {
  /** How many commits there are to come. */
  readonly count: number;
  /** The commits, parents before children. */
  readonly commits: AsyncIterable<Commit>;
  /** All tags that name a commit, oldest first. */
  readonly tags: readonly Tag[];
}

/** Where a history comes from. */
export interface Source {
  /** What to call it. */
  readonly name: string;
  /** Where it is, for people. */
  readonly place: string;
  /** What people should know about it before they judge what they see. */
  readonly note: string | undefined;
  /** Reads what cannot be reached from the commits that are known already. */
  read(known: readonly string[]): Promise<History>;
}

/** Makes a date of the seconds since 1970 that git gives; what is no date becomes the beginning. */
export function date(seconds: string): Date {
  const time = Number(seconds) * 1000;
  return new Date(time >= 0 && time < 253_402_300_800_000 ? time : 0); // up to the year 9999
}
