import type { Commit } from "./commit.ts";

/** A commit, and the time to record for it. */
export interface Dated {
  readonly commit: Commit;
  readonly at: Date;
}

/** How many of the following commits must contradict a date for it to be ignored. */
const witnesses = 3;

/**
 * Assigns each commit a time that is never before the previous one's, even where its author's clock was wrong, so that
 * "as of a date" is well-defined.
 *
 * A date that is too early becomes the previous one's. A date that all the next commits contradict becomes the latest
 * of theirs: otherwise one machine with a clock in 2037 would move all later commits there.
 *
 * @param start The time before the first commit.
 * @param now No commit is later than this.
 */
export async function* steady(
  commits: AsyncIterable<Commit>,
  start: Date,
  now: Date,
): AsyncGenerator<Dated> {
  const waiting: Commit[] = [];
  let last = start.getTime();
  const next = (): Dated => {
    const commit = waiting.shift()!;
    const latest = Math.max(...waiting.map(({ dated }) => dated.getTime()));
    const believed = waiting.length < witnesses
      ? commit.dated.getTime()
      : Math.min(commit.dated.getTime(), latest);
    last = Math.max(last, Math.min(believed, now.getTime()));
    return { commit, at: new Date(last) };
  };
  for await (const commit of commits) {
    waiting.push(commit);
    if (waiting.length > witnesses) yield next();
  }
  while (waiting.length > 0) yield next();
}
