import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { bin, type Outcome, run } from "./command.ts";
import { type Block, withImports } from "./guide.ts";
import { createDatabase } from "./postgres.ts";
import { root, runtime } from "./root.ts";
import { type Service, startService } from "./service.ts";
import { sqldUrl } from "./sqld.ts";

/** The blocks as files of one folder, within reach of the package by its name. */
export interface Folder {
  readonly path: string;
  /** Checks the types of all blocks where the runtime does so, and on Node compiles them. */
  compiled(): Promise<Outcome>;
  /** Runs programs one after the other, to their end, in one process and on databases of their own. */
  run(programs: readonly Block[]): Promise<Outcome>;
  /** Starts a file that runs until it is told to end, on databases of its own. */
  start(file: string, env: Record<string, string>): Promise<Service>;
  remove(): void;
}

/** Writes blocks into a folder. */
export function write(blocks: readonly Block[]): Folder {
  mkdirSync(join(root, "dist"), { recursive: true });
  const path = mkdtempSync(join(root, "dist", "guide-"));
  mkdirSync(join(path, "out"));
  for (const { file, code } of blocks) writeFileSync(join(path, file), code);
  const check = { node: forNode, deno: forDeno, bun: () => undefined }[runtime](path, blocks);
  let outcome: Promise<Outcome> | undefined;
  const compiled = async () =>
    await (outcome ??= check
      ? run(check, { cwd: path })
      : Promise.resolve({ ok: true, output: "" }));
  const compiledFile = (file: string) =>
    runtime === "node" ? join(path, "out", file.replace(/ts$/, "js")) : join(path, file);
  const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check", "--quiet"] : [];
  const command = (file: string) => [process.execPath, ...flags, file];
  return {
    path,
    compiled,
    async run(programs) {
      await compiled();
      const { env, drop } = await environment(programs);
      const file = join(path, "out", `${programs[0]!.file}.mjs`);
      const files = programs.map(({ file }) => pathToFileURL(compiledFile(file)).href);
      writeFileSync(file, files.map((url) => `await import(${JSON.stringify(url)});\n`).join(""));
      try {
        return await run(command(file), { cwd: path, env, limit: 50_000 });
      } finally {
        await drop();
      }
    },
    async start(file, env) {
      await compiled();
      const block = blocks.find((block) => block.file === file)!;
      const { env: servers, drop } = await environment([block]);
      const service = startService(command(compiledFile(file)), {
        cwd: path,
        env: { ...servers, ...env },
      });
      return { ...service, remove: () => service.remove().finally(drop) };
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** Compiles: version 20 runs no TypeScript. Without `paths`, so that declarations are what the package is known by. */
function forNode(path: string): readonly string[] {
  const compilerOptions = { rootDir: ".", outDir: "out", paths: {}, declaration: false };
  const extended = { extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] };
  writeFileSync(join(path, "tsconfig.json"), JSON.stringify(extended));
  return [bin("tsc"), "--project", "."];
}

/** Checks types. With a configuration of its own: by that of the repository, `dist` is passed over without a word. */
function forDeno(path: string, blocks: readonly Block[]): readonly string[] {
  const { imports, compilerOptions, nodeModulesDir } = JSON.parse(
    readFileSync(join(root, "deno.json"), "utf8"),
  );
  for (const [name, target] of Object.entries<string>(imports)) {
    imports[name] = target.replace(/^\.\//, "../../");
  }
  const config = { imports, compilerOptions, nodeModulesDir, lock: false };
  writeFileSync(join(path, "deno.json"), JSON.stringify(config));
  symlinkSync(join(root, "node_modules"), join(path, "node_modules"), "junction");
  return [process.execPath, "check", "--quiet", ...blocks.map(({ file }) => file)];
}

/** Opens what programs ask for by the variables that they read. */
async function environment(
  programs: readonly Block[],
): Promise<{ readonly env: Record<string, string>; drop(): Promise<void> }> {
  const code = programs.flatMap((block) => [...withImports(block)]).map(({ code }) => code).join(
    "\n",
  );
  const env: Record<string, string> = {};
  if (/\bTURSO_DATABASE_URL\b/.test(code)) env["TURSO_DATABASE_URL"] = await sqldUrl();
  if (!/\bDATABASE_URL\b/.test(code)) return { env, drop: async () => {} };
  const { url, drop } = await createDatabase();
  return { env: { ...env, DATABASE_URL: url }, drop };
}
