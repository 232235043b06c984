// Reads a git repository's history into an event store, and shows what the events tell: `npm start [path]`.
import { EventStore, isEventSourceryError, Repository } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import { createClient } from "@libsql/client";
import { drizzle } from "drizzle-orm/libsql";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { browse } from "./browse.ts";
import { catchUp } from "./catchup.ts";
import { bold, dim, things } from "./chart.ts";
import type { Source } from "./commit.ts";
import { events } from "./events.ts";
import { NoRepository, open } from "./git.ts";
import { prepare, readModel } from "./model.ts";
import { isNews, publishNews } from "./news.ts";
import { fileOf, Misuse, readOptions, usage } from "./options.ts";
import { progress, speed } from "./progress.ts";
import { Project } from "./project.ts";
import { record } from "./record.ts";
import { assertAgreement, printContributors, printState, printTimeline } from "./report.ts";
import { sample } from "./sample.ts";

/** Opens the given repository; by default this project's own, or else its sample. */
async function find(folder: string | undefined): Promise<Source> {
  if (folder !== undefined) return await open(folder);
  try {
    return await open(process.cwd());
  } catch (error) {
    if (!(error instanceof NoRepository)) throw error;
    return sample(error.message);
  }
}

/** Creates a folder that git ignores, since names and addresses are private. */
function shelter(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const ignore = join(folder, ".gitignore");
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n");
}

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const source = await find(options.folder);
  const file = resolve(options.file ?? fileOf(source));
  if (options.file === undefined) shelter(dirname(file));

  const client = createClient({ url: pathToFileURL(file).href });
  const db = drizzle(client);
  const driver = libsql(db);
  await driver.migrate();
  await prepare(db);
  const store = new EventStore(driver, { events, publishes: isNews });
  const projects = new Repository(store, Project);

  console.log(`${bold(source.name)} ${dim(`(${source.place})`)}`);
  if (source.note !== undefined) console.log(dim(source.note));
  let start = performance.now();
  const known = await projects.aggregate(source.name, (project) => project);
  const history = await source.read(known.tips);
  const appended = await record(store, known, history, progress(history.count));
  if (appended > 0) {
    console.log(`Appended ${things(appended, "event")} ${speed(appended, start)}`);
  } else console.log("Nothing is new");

  await publishNews(store);

  start = performance.now();
  const charts = readModel(store);
  // A file of an older version of this program may contain a read model without a checkpoint.
  const anew = options.rebuild || (await charts.status()).position === 0;
  const replayed = anew ? (await charts.rebuild()).handled : 0;
  const handled = replayed + await catchUp(charts, await store.position());
  if (handled > 0) {
    const what = anew ? "Built the charts from" : "Brought the charts up to date with";
    console.log(`${what} ${things(handled, "event")} ${speed(handled, start)}`);
  }

  start = performance.now();
  const project = await projects.load(source.name);
  if (project === undefined) return console.log("There are no commits yet");
  const loaded = `Replayed the repository from ${things(project.version, "event")}`;
  console.log(`${loaded} ${speed(project.version, start)}`);

  console.log(`Kept in ${dim(file)}`);
  await assertAgreement(db, project);
  await printTimeline(db);
  await printContributors(db);
  printState("As it is", project);
  const [first] = await store.load(`repository:${source.name}`, { limit: 1 });
  const half = (first!.createdAt.getTime() + project.updatedAt.getTime()) / 2;
  const at = options.at ?? new Date(half);
  const title = `As it was on ${at.toISOString().slice(0, 16).replace("T", " at ")}`;
  const past = await projects.load(source.name, { at });
  if (past) printState(title, past);
  else console.log(`\n${title}\n  nothing yet`);
  if (options.studio === undefined) {
    console.log(`\n${dim("Browse these events, and any state in time: npm start -- --studio")}`);
  } else {
    await browse(store, charts, { title: source.name, port: options.studio }, (url) => {
      console.log(`\nBrowse these events on ${bold(url)} ${dim("(Ctrl+C ends it)")}`);
    });
  }
  client.close();
}

process.stdout.on("error", () => process.exit()); // the reader, such as head, has closed the pipe
try {
  await main();
} catch (error) {
  process.exitCode = 1;
  if (error instanceof NoRepository || error instanceof Misuse) {
    console.error(`${error.message}\n\n${usage}`);
  } else if (isEventSourceryError(error) && error.retryable) {
    console.error(
      `${error.message}\nWhat was appended before is kept; another run goes on from there`,
    );
  } else throw error;
}
