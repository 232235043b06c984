import { spawn } from "node:child_process";
import { once } from "node:events";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { bin, type Outcome, run } from "./command.ts";
import { createDatabase } from "./postgres.ts";
import { root, runtime } from "./root.ts";
import { sqldUrl } from "./sqld.ts";

/** The folder of the guide's pages. */
export const pages: string = join(root, "examples", "guide");

/**
 * A block of TypeScript of the guide. One that begins with a comment of a file name, `// order.ts`, is that file: all pages
 * share one folder, so that others may import it. Any other block is a program. It runs to its end, asserts what it
 * claims, and prints what stands beside its `console.log`. Words after `ts` name the only runtimes that run it.
 */
export interface Block {
  readonly page: string;
  /** The file that holds the block. */
  readonly file: string;
  readonly code: string;
  readonly program: boolean;
  /** Whether this runtime runs it. */
  readonly runs: boolean;
}

/** Every block of TypeScript, by page. */
export const blocks: readonly Block[] = readdirSync(pages)
  .filter((page) => page.endsWith(".md"))
  .sort()
  .flatMap((page) => blocksOf(page, readFileSync(join(pages, page), "utf8")));

/** Finds the blocks of a page. */
export function blocksOf(page: string, text: string): Block[] {
  const found = [...text.matchAll(/^```ts([a-z ]*)\n([^]*?)^```$/gm)];
  return found.map(([, info, code], index) => {
    const name = /^\/\/ ([a-z.]+\.ts)\n/.exec(code!)?.[1];
    const runtimes = info!.trim();
    return {
      page,
      file: name ?? page.replace(/\.md$/, `-${index + 1}.ts`),
      code: code!,
      program: name === undefined,
      runs: runtimes === "" || runtimes.split(" ").includes(runtime),
    };
  });
}

/** What a program says that it prints: the comments beside its `console.log`, in order. */
export function printed(code: string): string[] {
  return [...code.matchAll(/\bconsole\.log\(.*\);? \/\/ (.*)$/gm)].map(([, line]) => line!);
}

/** The blocks as files of one folder, within reach of the package by its name. */
export interface Folder {
  readonly path: string;
  /** Checks the types of all blocks where the runtime does so, and on Node compiles them. */
  readonly compiled: Promise<Outcome>;
  /** Runs a block to its end, on databases of its own. */
  run(block: Block): Promise<Outcome>;
  /** Starts a file that runs until it is told to end. */
  start(file: string, env: Record<string, string>): Promise<Started>;
  remove(): void;
}

/** A program that runs. */
export interface Started {
  /** Waits until it has printed a line. */
  prints(line: string): Promise<void>;
  /** Tells it to end, and waits for its exit code. */
  end(): Promise<number | null>;
  /** Ends it by force if need be, and removes its databases. */
  remove(): Promise<void>;
}

/** Writes blocks into a folder. */
export function write(blocks: readonly Block[]): Folder {
  mkdirSync(join(root, "dist"), { recursive: true });
  const path = mkdtempSync(join(root, "dist", "guide-"));
  for (const { file, code } of blocks) writeFileSync(join(path, file), code);
  const check = { node: forNode, deno: forDeno, bun: () => undefined }[runtime](path, blocks);
  const compiled = check ? run(check, { cwd: path }) : Promise.resolve({ ok: true, output: "" });
  const command = (file: string) => {
    if (runtime === "node") return [process.execPath, join(path, "out", `${file.slice(0, -3)}.js`)];
    const flags = runtime === "deno" ? ["run", "--allow-all", "--no-check", "--quiet"] : [];
    return [process.execPath, ...flags, join(path, file)];
  };
  return {
    path,
    compiled,
    async run(block) {
      await compiled;
      const { env, drop } = await environment(block);
      try {
        return await run(command(block.file), { cwd: path, env, limit: 50_000 });
      } finally {
        await drop();
      }
    },
    async start(file, env) {
      await compiled;
      const servers = await environment(blocks.find((block) => block.file === file)!);
      const [program, ...args] = command(file);
      const child = spawn(program!, args, {
        cwd: path,
        env: { ...process.env, ...servers.env, ...env, NO_COLOR: "1" },
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      const ended = once(child, "close");
      const listeners = new Set<() => void>();
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding("utf8").on("data", (text: string) => {
          output += text;
          for (const listener of listeners) listener();
        });
      }
      return {
        async prints(line) {
          const printed = new Promise<void>((resolve) => {
            const look = () => output.split("\n").includes(line) && resolve();
            listeners.add(look);
            look();
          });
          const early = ended.then(() => Promise.reject(new Error(`It ended: ${output}`)));
          await Promise.race([printed, early]);
        },
        async end() {
          process.kill(child.pid!, "SIGTERM"); // after child.kill() Deno tells no exit code
          const [code] = await ended;
          if (code !== 0) console.error(output);
          return code;
        },
        async remove() {
          child.kill("SIGKILL");
          await ended;
          await servers.drop();
        },
      };
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

/** The servers that a block asks for, itself or by what it imports. */
export async function environment(
  block: Block,
): Promise<{ readonly env: Record<string, string>; drop(): Promise<void> }> {
  const code = [...closure(block)].map(({ code }) => code).join("\n");
  const env: Record<string, string> = {};
  if (code.includes("TURSO_DATABASE_URL")) env["TURSO_DATABASE_URL"] = await sqldUrl();
  if (!code.includes("DATABASE_URL")) return { env, drop: async () => {} };
  const { url, drop } = await createDatabase();
  return { env: { ...env, DATABASE_URL: url }, drop };
}

function closure(block: Block, seen: Set<Block> = new Set([block])): Set<Block> {
  for (const [, file] of block.code.matchAll(/ from "\.\/([a-z.]+)"/g)) {
    const found = blocks.find((other) => other.file === file);
    if (found !== undefined && !seen.has(found)) closure(found, seen.add(found));
  }
  return seen;
}
