import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bin, type Outcome, run } from "../support/command.ts";
import { root } from "../support/root.ts";

/** What `compile` may be told beside the program. */
interface CompileOptions {
  /** Flags of tsc. */
  readonly flags?: readonly string[];
  /** Compiler options that take the place of the library's. */
  readonly compilerOptions?: object;
}

/** Checks a program with tsc, as strictly as the library itself; nothing is written. */
export async function compile(
  program: string,
  { flags = [], compilerOptions = {} }: CompileOptions = {},
): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "event-sourcery-types-"));
  try {
    await writeFile(join(folder, "program.ts"), program);
    await writeFile(join(folder, "package.json"), `{ "type": "module" }`);
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: join(root, "tsconfig.json"),
        compilerOptions: {
          rootDir: "/",
          noEmit: true,
          rewriteRelativeImportExtensions: false,
          allowImportingTsExtensions: true,
          typeRoots: [join(root, "node_modules", "@types")],
          ...compilerOptions,
        },
        include: ["program.ts"],
        exclude: [],
      }),
    );
    return await run([bin("tsc"), "-p", folder, "--pretty", "false", ...flags]);
  } finally {
    await rm(folder, { recursive: true });
  }
}
