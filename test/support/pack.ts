import { cpSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, must } from "./command.ts";
import { root } from "./root.ts";

/** The package as npm would publish it. */
export interface Packed {
  readonly tarball: string;
  /** Removes the tarball and the folder it lies in. */
  remove(): void;
}

/** Builds the package from the sources in a clean folder, where no leftover can slip in. */
export async function pack(): Promise<Packed> {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-pack-"));
  for (
    const name of [
      "package.json",
      "README.md",
      "LICENSE",
      "CHANGELOG.md",
      "examples/guide/llms.txt",
    ]
  ) {
    if (existsSync(join(root, name))) {
      cpSync(join(root, name), join(folder, name), { recursive: true });
    }
  }
  await must([bin("tsc"), "--noCheck", "--outDir", join(folder, "dist")]);
  const output = await must(["npm", "pack", "--silent", "--ignore-scripts"], { cwd: folder });
  const name = output.trim().split("\n").at(-1)!;
  const remove = () => rmSync(folder, { recursive: true, force: true });
  return { tarball: join(folder, name), remove };
}
