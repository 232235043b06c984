import { asc, desc, sql } from "drizzle-orm";
import assert from "node:assert/strict";
import { bar, blue, bold, count, dim, fit, green, spark, things } from "./chart.ts";
import { activity, type Db, people, tags } from "./model.ts";
import type { Project } from "./project.ts";
import { scaleOf } from "./timeline.ts";

const total = sql<number>`sum(${activity.commits} + ${activity.merges})`;

/** Checks that the read model agrees with the events. */
export async function assertAgreement(
  db: Db,
  { commits, merges, authors }: Project,
): Promise<void> {
  const [row] = await db.select({
    commits: sql<number>`sum(${activity.commits})`,
    merges: sql<number>`sum(${activity.merges})`,
    authors: sql<number>`count(distinct ${activity.author})`,
  }).from(activity);
  assert.deepEqual(row, { commits, merges, authors: authors.size });
}

/** Prints the activity over time, with the tags of each period. */
export async function printTimeline(db: Db): Promise<void> {
  const days = await db.select({ day: activity.day, total }).from(activity)
    .groupBy(activity.day).orderBy(asc(activity.day));
  const tagged = await db.select().from(tags).orderBy(asc(tags.day));
  const all = [...days, ...tagged].map(({ day }) => day).sort();
  if (all.length === 0) return;
  const { scale, stretches } = scaleOf(all[0]!, all.at(-1)!);
  const totals = sum(days.map(({ day, total }) => [scale.of(day), total]));
  const most = Math.max(...totals.values());
  console.log(bold(`\nTimeline, by ${scale.unit}`));
  for (const stretch of stretches) {
    const value = totals.get(stretch) ?? 0;
    const names = tagged.filter(({ day }) => scale.of(day) === stretch).map(({ name }) => name);
    const more = names.length > 3 ? ` and ${names.length - 3} more` : "";
    const mark = names.length > 0
      ? green(`◆ ${fit(names.slice(-3).join(", "), 40).trim()}${more}`)
      : "";
    const line = `${stretch.padEnd(10)} ${blue(bar(value, most, 40).padEnd(40))}`;
    console.log(`  ${line} ${count(value).padStart(6)}  ${mark}`.trimEnd());
  }
}

/** Prints the activity of each contributor over time. */
export async function printContributors(db: Db, shown = 15): Promise<void> {
  const ranks = await db.select({ id: activity.author, name: people.name, total }).from(activity)
    .innerJoin(people, sql`${people.id} = ${activity.author}`)
    .groupBy(activity.author).orderBy(desc(total), asc(people.name));
  const span = await db.select({
    first: sql<string>`min(${activity.day})`,
    last: sql<string>`max(${activity.day})`,
  }).from(activity);
  if (ranks.length === 0) return;
  const { scale, stretches } = scaleOf(span[0]!.first, span[0]!.last);
  console.log(bold("\nContributors"));
  for (const { id, name, total } of ranks.slice(0, shown)) {
    const days = await activityOf(db, id);
    const own = sum(days.map(({ day, total }) => [scale.of(day), total]));
    const chart = blue(bar(total, ranks[0]!.total, 24).padEnd(24));
    const line = dim(spark(stretches.map((stretch) => own.get(stretch) ?? 0)));
    console.log(`  ${fit(name, 24)} ${chart} ${count(total).padStart(6)}  ${line}`);
  }
  const rest = ranks.slice(shown);
  const others = rest.reduce((sum, { total }) => sum + total, 0);
  if (rest.length > 0) {
    console.log(dim(`  and ${things(rest.length, "other")} with ${count(others)}`));
  }
}

/** Prints the current or a past state of a repository. */
export function printState(title: string, project: Project): void {
  const { commits, merges, authors, tags, subject, updatedAt } = project;
  const numbers = [
    things(commits, "commit"),
    things(merges, "merge"),
    things(authors.size, "contributor"),
    things(tags.length, "tag"),
  ];
  console.log(bold(`\n${title}`));
  console.log(`  ${numbers.join(", ")}`);
  console.log(`  last, on ${updatedAt.toISOString().slice(0, 10)}: ${fit(subject, 70).trim()}`);
  if (tags.length > 0) console.log(`  newest tag: ${fit(tags.at(-1)!, 70).trim()}`);
}

async function activityOf(db: Db, id: string): Promise<readonly { day: string; total: number }[]> {
  return await db.select({ day: activity.day, total }).from(activity)
    .where(sql`${activity.author} = ${id}`).groupBy(activity.day);
}

function sum(pairs: readonly (readonly [string, number])[]): Map<string, number> {
  const sums = new Map<string, number>();
  for (const [key, value] of pairs) sums.set(key, (sums.get(key) ?? 0) + value);
  return sums;
}
