import { EventStore } from "event-sourcery";
import { libsql } from "event-sourcery/libsql";
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { get, type IncomingMessage } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import type { Commit } from "../examples/history/commit.ts";
import { events } from "../examples/history/events.ts";
import { progress } from "../examples/history/progress.ts";
import { steady } from "../examples/history/steady.ts";
import { run } from "./support/command.ts";
import { connectLibsql } from "./support/handles.ts";
import { root, runtime } from "./support/root.ts";

const folder = mkdtempSync(join(tmpdir(), "event-sourcery-history-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const day = 86_400;
const start = Date.UTC(2024, 0, 1) / 1000;
const file = (name: string) => join(folder, `${name}.db`);

test("history shows a repository, and appends only what is new", { timeout: 60_000 }, async () => {
  if (!hasGit()) return assert.match(await history([], folder), /first commits of this project/);
  const place = repository("small", [
    commit(1, "Ada", "ada@example.com", start, "Begin"),
    commit(2, "Grace", "grace@example.com", start + 40 * day, "Go on", [1]),
    commit(3, "Ada", "ADA@example.com", start + 41 * day, "Aside", [1]),
    tag("v1", 2, start + 45 * day),
    commit(4, "Ada", "ada@example.com", start + 80 * day, "Together", [2, 3]),
  ]);
  const first = await history([place, "--db", file("small")]);
  // Three commits, a merge and a tag; two contributors who joined and contributed four times.
  assert.match(first, /Appended 11 events/);
  assert.match(first, /3 commits, 1 merge, 2 contributors, 1 tag/);
  assert.match(first, /◆ v1/);
  assert.match(first, /Published 5 commits and tags [^]*Begin\n[^]*Together\n/);
  assert.match(first, /Ada +█+ +3 .*\n +Grace +█+.? +1/);

  const travel = ["--at", "2024-02-10"];
  const second = await history([place, "--db", file("small"), ...travel]);
  assert.match(second, /Nothing is new/);
  assert.doesNotMatch(second, /Published|charts/);
  assert.match(
    second,
    /As it was on 2024-02-10 at 00:00\n {2}2 commits, 0 merges, 2 contributors, 0 tags/,
  );

  git(place, ["commit", "--quiet", "--allow-empty", "--message", "One more"]);
  const third = await history([place, "--db", file("small")]);
  assert.match(third, /Appended 3 events/); // the commit, and its author, who is new
  assert.match(third, /4 commits, 1 merge, 3 contributors, 1 tag/);
  assert.match(
    third,
    /Published 1 commit or tag .*\n.* One more\nBrought the charts up to date with 2 /,
  );

  git(place, ["tag", "v2"]);
  assert.match(await history([place, "--db", file("small")]), /Appended 1 event /);
  const here = await history(["--db", file("small")], place); // where none is named, the one around it
  assert.match(here, /^small [^]*Nothing is new/);
});

test("history is browsed in a studio, on this machine alone", { timeout: 60_000 }, async () => {
  const [program, ...args] = command(["--studio", "--port", "0", "--db", file("browsed")]);
  const child = spawn(program!, args, { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  try {
    let url: string | undefined;
    for await (const line of createInterface({ input: child.stdout })) {
      url = /http:\S+\//.exec(line)?.[0];
      if (url !== undefined) break;
    }
    const page = await (await fetch(`${url}streams?prefix=repository:`)).text();
    const [, stream] = /href="(\/stream\?id=repository:[^"]*)"/.exec(page)!;
    const shown = await (await fetch(new URL(`${stream}&at=2`, url))).text();
    assert.match(shown, /State at version 2/);
    assert.match(shown, /class="added">.*&quot;subject&quot;/);
    const { statusCode } = await new Promise<IncomingMessage>((resolve, reject) =>
      get(url!, { headers: { host: "evil.example" } }, resolve).on("error", reject)
    );
    assert.equal(statusCode, 403);
  } finally {
    process.kill(child.pid!, "SIGINT"); // after child.kill() Deno knows no exit code
    const [code] = await ended;
    assert.equal(code, 0);
  }
});

test("history builds its charts anew from the events", { timeout: 60_000 }, async () => {
  if (!hasGit()) return assert.match(await history(["--help"]), /--rebuild/);
  const commits = [1, 2, 3, 4, 5, 6, 7].map((mark) =>
    commit(
      mark,
      "Ada",
      "ada@example.com",
      start + mark * day,
      `No ${mark}`,
      mark > 1 ? [mark - 1] : [],
    )
  );
  const args = [repository("charts", commits), "--db", file("charts")];
  const before = await history(args);
  assert.match(before, /Published 7 .*, the newest of them:\n.*No 3\n/);
  const { db, close } = await connectLibsql(pathToFileURL(file("charts")).href);
  await db.run("delete from activity where day > '2024-01-04'");
  await close();
  await assert.rejects(history(args), /AssertionError/); // the charts do not say what the events say
  const after = await history([...args, "--rebuild"]);
  assert.match(after, /Nothing is new\nBuilt the charts from 8 events/);
  const charts = (output: string) => output.slice(output.indexOf("Timeline"));
  assert.equal(charts(after), charts(before));
});

test("history goes on where a run was killed", { timeout: 60_000 }, async () => {
  if (!hasGit()) return assert.match(await history(["--help"]), /npm start/);
  const place = repository("killed", [commit(1, "Ada", "ada@example.com", start, "Begin")]);
  const args = [place, "--db", file("killed")];
  await history(args);
  const { db, close } = await connectLibsql(pathToFileURL(file("killed")).href);
  const { checkpoints } = libsql(db);
  for (const name of ["charts", "news"]) { // killed, it releases nothing
    const lane = { scope: "all", name, version: 1, lane: 0 };
    assert(await checkpoints!.claim(lane, "a run that was killed", 1000));
  }
  await close();
  git(place, ["commit", "--quiet", "--allow-empty", "--message", "Go on"]);
  const next = await history(args);
  assert.match(
    next,
    /Published 1 commit or tag .*\n.* Go on\nBrought the charts up to date with 2 /,
  );
});

// On Node alone, where the program is compiled before the clock starts.
if (runtime === "node" && hasGit()) {
  test("history takes 20,000 commits in under a minute", { timeout: 120_000 }, async () => {
    const people = 20;
    const commits = Array.from({ length: 20_000 }, (_, index) => {
      const person = index % people;
      const email = `${person}@example.com`;
      const from = index > 0 ? [index] : [];
      return commit(index + 1, `No ${person}`, email, start + index * 1800, `Step ${index}`, from);
    });
    const args = [repository("long", commits), "--db", file("long")];
    const first = await history(args, root, 60_000);
    // Each commit is one event of the repository and one of its author, who joins once.
    const speed = String.raw`in \d+\.\d\d s \([1-9][\d,]* events/s\)`;
    for (
      const done of [
        "Appended 40,020 events",
        "Published 20,000 commits and tags",
        "Built the charts from 20,020 events",
        "Replayed the repository from 20,000 events",
      ]
    ) assert.match(first, new RegExp(`^${done} ${speed}`, "m"));
    assert.match(first, /20,000 commits, 0 merges, 20 contributors, 0 tags/);

    git(args[0]!, ["commit", "--quiet", "--allow-empty", "--message", "One more"]);
    const second = await history(args, root, 60_000);
    assert.match(second, /^Appended 3 events /m); // the commit, and its author, who is new
    assert.match(second, /^Published 1 commit or tag /m);
    assert.match(second, /20,001 commits, 0 merges, 21 contributors, 0 tags/);
    assert.match(await history(args, root, 60_000), /^Nothing is new$/m);
  });
}

test("history takes whatever git holds", { timeout: 60_000 }, async () => {
  if (!hasGit()) return assert.match(await history(["--help"]), /npm start/);
  const place = repository("odd", [
    commit(1, "", "", start, ""),
    commit(2, "No mail", "", start + day, "\x1b[31mRed\x07", [1]),
    commit(3, "Long".repeat(500), `${"x".repeat(2000)}@example.com`, start + 2 * day, "Long", [2]),
    commit(4, "Future", "f@example.com", 2_145_916_800, "From 2038", [3]),
    commit(5, "Past", "p@example.com", 0, "From 1970", [4]),
    commit(6, "Ünïcödé 🦊", "u@example.com", start + 5 * day, "Ü", [5]),
    commit(7, "Never", "n@example.com", 99_999_999_999_999, "After the end of time", [6]),
    commit(8, "colon:%'\"", "a:b@example.com", start + 7 * day, "x".repeat(5000), [7]),
    commit(9, "Last", "l@example.com", start + 8 * day, "End", [8]),
    tag("from-the-future", 2, 2_145_916_800),
  ]);
  const output = await history([place, "--db", file("odd")]);
  assert.match(output, /9 commits, 0 merges, 9 contributors, 1 tag/);
  assert(!output.includes("\x1b") && !output.includes("\x07"), "names must not steer the terminal");

  const { db, close } = await connectLibsql(pathToFileURL(file("odd")).href);
  const store = new EventStore(libsql(db), { events });
  const times = (await store.load("repository:odd")).map(({ createdAt }) => createdAt.getTime());
  await close();
  assert.deepEqual(times, times.toSorted((a, b) => a - b));
  assert(times.every((time) => time >= start * 1000 && time <= Date.now()));
});

test("history shows what it can where there is little", { timeout: 60_000 }, async () => {
  const other = ["--db", file("other")];
  assert.match(
    await history(other, folder),
    /sample .*\n.*(fatal|Cannot run git)[^]*Appended \d\d events/,
  );
  assert.match(await history(other, folder), /Nothing is new/);
  await assert.rejects(history([join(folder, "nowhere")]), /nowhere|Cannot run git/);
  await assert.rejects(history(["--at", "never"]), /"never" is not a date/);
  if (!hasGit()) return;
  assert.match(await history([repository("empty", []), ...other]), /There are no commits yet/);
});

test("progress() redraws its bar in a terminal, and keeps silent elsewhere", () => {
  const drawn: string[] = [];
  const write = (text: string | Uint8Array) => drawn.push(String(text)) > 0;
  const tell = progress(200, { isTTY: true, write });
  [50, 100, 200].forEach(tell);
  assert.match(drawn[0]!, / 25 % █{7}▌░{22} [\d,]+ commits\/s$/);
  assert.match(drawn[1]!, / 50 % █{15}░{15} /);
  const anew = "\r\x1b[K";
  assert.ok(drawn.every((text) => text.startsWith(anew)));
  assert.equal(drawn[2], anew);
  progress(200, { isTTY: false, write })(50);
  assert.equal(drawn.length, 3);
});

test("steady() believes no clock that the next commits contradict", async () => {
  const dates = async (...seconds: number[]) => {
    const times: number[] = [];
    for await (const { at } of steady(commits(seconds), new Date(0), new Date(100_000))) {
      times.push(at.getTime() / 1000);
    }
    return times;
  };
  assert.deepEqual(await dates(1, 2, 3, 4, 5), [1, 2, 3, 4, 5]);
  assert.deepEqual(await dates(4, 5, 3, 4, 6, 7), [4, 5, 5, 5, 6, 7]);
  assert.deepEqual(await dates(1, 90, 3, 4, 5, 6), [1, 5, 5, 5, 5, 6]);
  assert.deepEqual(await dates(1, 2, 500), [1, 2, 100]);
  assert.deepEqual(await dates(), []);
});

/** Runs the program for at most so many milliseconds, and gives what it printed. */
async function history(
  args: readonly string[],
  cwd: string = root,
  limit?: number,
): Promise<string> {
  const { ok, output } = await run(command(args), {
    cwd,
    ...(limit !== undefined && { limit }),
  });
  if (!ok) throw new Error(output);
  return output;
}

/** The command that runs the program on this runtime. */
function command(args: readonly string[]): readonly string[] {
  const name = "examples/history/main";
  const program = join(root, runtime === "node" ? `dist/${name}.js` : `${name}.ts`);
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check"] : [];
  return [process.execPath, ...flags, program, ...args];
}

function hasGit(): boolean {
  try {
    execFileSync("git", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

function git(place: string, args: readonly string[], input = ""): void {
  const somebody = ["-c", "user.name=Somebody", "-c", "user.email=somebody@example.com"];
  execFileSync("git", [...somebody, "-C", place, ...args], { input, stdio: "pipe" });
}

/** Makes a repository of what git's own format for imports says. */
function repository(name: string, lines: readonly string[]): string {
  const place = join(folder, name);
  execFileSync("git", ["init", "--quiet", "--initial-branch=main", place], { stdio: "pipe" });
  git(place, ["fast-import", "--quiet", "--date-format=raw-permissive"], lines.join(""));
  return place;
}

function commit(
  mark: number,
  name: string,
  email: string,
  seconds: number,
  subject: string,
  [from, ...merged]: readonly number[] = [],
): string {
  const who = `${name && `${name} `}<${email}> ${seconds} +0000`;
  return `commit refs/heads/${mark === 3 ? "side" : "main"}
mark :${mark}
author ${who}
committer ${who}
data ${new TextEncoder().encode(subject).length}
${subject}
${from === undefined ? "" : `from :${from}\n`}${merged.map((mark) => `merge :${mark}\n`).join("")}
`;
}

function tag(name: string, mark: number, seconds: number): string {
  return `tag ${name}\nfrom :${mark}\ntagger T <t@example.com> ${seconds} +0000\ndata 0\n\n`;
}

async function* commits(seconds: readonly number[]): AsyncGenerator<Commit> {
  const commit = { hash: "", parents: [], name: "", email: "", subject: "" };
  for (const second of seconds) yield { ...commit, dated: new Date(second * 1000) };
}
