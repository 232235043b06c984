import { type ChildProcess, spawn } from "node:child_process";
import { basename } from "node:path";
import process from "node:process";
import { type Commit, date, type Source, type Tag } from "./commit.ts";

/** Git is not installed, or a folder is not in a repository; the message is shown to users. */
export class NoRepository extends Error {}

/**
 * Opens the git repository that holds a folder.
 *
 * @throws {NoRepository} If the folder is not in a repository, or git is not installed.
 */
export async function open(folder: string): Promise<Source> {
  const place = (await git(folder, ["rev-parse", "--show-toplevel"]).catch(() => "")).trim() ||
    (await git(folder, ["rev-parse", "--absolute-git-dir"])).trim(); // a bare repository has no top level
  const name = basename(place).replace(/\.git$/, "") || "repository";
  const shallow = (await git(folder, ["rev-parse", "--is-shallow-repository"])).trim() === "true";
  return {
    name,
    place,
    note: shallow ? "It is a shallow clone, which holds the newest commits only" : undefined,
    async read(known) {
      const head = await git(folder, ["rev-parse", "--quiet", "--verify", "HEAD"]).catch(() => "");
      // A known commit that no longer exists, for example after a rewritten history, is ignored.
      const range = ["--ignore-missing", "--tags", ...(head ? ["HEAD"] : []), "--stdin"];
      const stdin = known.map((hash) => `^${hash}\n`).join("");
      const count = Number(await git(folder, ["rev-list", "--count", ...range], stdin));
      return { count, commits: commits(folder, range, stdin), tags: await tags(folder) };
    },
  };
}

const fields = ["%H", "%P", "%aN", "%aE", "%ct", "%s"];

/** Streams commits, so that a long history is never in memory. NUL is the only byte that git allows in no field. */
async function* commits(
  folder: string,
  range: readonly string[],
  stdin: string,
): AsyncGenerator<Commit> {
  const format = `--format=${fields.join("%x00")}`;
  const order = ["--reverse", "--date-order"];
  const plain = ["--no-show-signature", "--no-color", "--encoding=UTF-8"];
  const child = start(folder, ["log", "-z", format, ...order, ...plain, ...range], stdin);
  const ended = end(child);
  let row: string[] = [];
  let rest = "";
  for await (const text of child.stdout!.setEncoding("utf8")) {
    const parts = `${rest}${text}`.split("\0");
    rest = parts.pop()!;
    for (const part of parts) {
      row.push(part);
      if (row.length < fields.length) continue;
      const [hash, parents, name, email, seconds, subject] = row as [
        ...[string, string, string, string, string, string],
      ];
      const dated = date(seconds);
      yield { hash, parents: parents.split(" ").filter(Boolean), name, email, dated, subject };
      row = [];
    }
  }
  await ended;
}

async function tags(folder: string): Promise<readonly Tag[]> {
  const format = ["%(refname:lstrip=2)", "%(objectname)", "%(*objectname)", "%(creatordate:unix)"];
  const types = ["%(objecttype)", "%(*objecttype)"];
  const line = [...format, ...types].join("%00");
  const text = await git(folder, [
    "for-each-ref",
    "--sort=creatordate",
    `--format=${line}`,
    "refs/tags",
  ]);
  return text.split("\n").filter(Boolean).flatMap((row) => {
    const [name = "", object = "", peeled, seconds = "", type, peeledType] = row.split("\0");
    const isCommit = (peeledType || type) === "commit"; // one may also tag a file
    return isCommit ? [{ name, hash: peeled || object, dated: date(seconds) }] : [];
  });
}

/** Runs git and returns its output. */
async function git(folder: string, args: readonly string[], stdin = ""): Promise<string> {
  const child = start(folder, args, stdin);
  let output = "";
  child.stdout!.setEncoding("utf8").on("data", (text: string) => output += text);
  await end(child);
  return output;
}

function start(folder: string, args: readonly string[], stdin: string): ChildProcess {
  // Inside a git hook, the environment variables of git point to the hook's repository.
  const env = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const child = spawn("git", ["-C", folder, ...args], { env: Object.fromEntries(env) });
  child.stdin.on("error", () => {}); // git may exit before it has read everything
  child.stdin.end(stdin);
  return child;
}

/** Waits until git exits; throws its error output if it failed. */
function end(child: ChildProcess): Promise<void> {
  let complaint = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => complaint += text);
  const ended = new Promise<void>((resolve, reject) => {
    child.on("error", () => reject(new NoRepository("Cannot run git: it is not installed")));
    child.on("close", (code) => {
      if (code === 0) resolve();
      else reject(new NoRepository(complaint.trim().split("\n")[0] || `git ended with ${code}`));
    });
  });
  ended.catch(() => {}); // a later await still gets the error
  return ended;
}
