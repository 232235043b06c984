import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Commit, date, type Source, type Tag } from "./commit.ts";

interface Sample {
  readonly commits: readonly Row[];
  readonly tags: readonly (readonly [name: string, hash: string, seconds: number])[];
}

type Row = readonly [
  hash: string,
  parents: readonly string[],
  name: string,
  email: string,
  seconds: number,
  subject: string,
];

/**
 * Opens the beginning of this project's history, for use without git or a repository.
 *
 * @param reason The reason for showing it, for the user.
 */
export function sample(reason: string): Source {
  const { commits, tags }: Sample = JSON.parse(
    readFileSync(find("examples/history/sample.json"), "utf8"),
  );
  return {
    name: "sample",
    place: "the first commits of this project",
    note: reason,
    read(known) {
      const tip = commits.at(-1)?.[0];
      const rest = tip !== undefined && known.includes(tip) ? [] : commits;
      return Promise.resolve({
        count: rest.length,
        commits: iterate(rest),
        tags: tags.map(([name, hash, seconds]): Tag => ({ name, hash, dated: date(`${seconds}`) })),
      });
    },
  };
}

async function* iterate(rows: readonly Row[]): AsyncGenerator<Commit> {
  for (const [hash, parents, name, email, seconds, subject] of rows) {
    yield { hash, parents, name, email, dated: date(`${seconds}`), subject };
  }
}

/** Finds a file of this project, even if the program runs compiled from another folder. */
function find(path: string, folder: string = dirname(fileURLToPath(import.meta.url))): string {
  const found = join(folder, path);
  if (existsSync(found)) return found;
  if (dirname(folder) === folder) throw new Error(`Cannot find ${path}`);
  return find(path, dirname(folder));
}
