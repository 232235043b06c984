import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, runtime } from "./root.ts";

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
    const name = /^\/\/ ([a-z.-]+\.ts)\n/.exec(code!)?.[1];
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

/** Every block of `typescript`: a part of a program of `examples/frameworks`, below a comment of the file's name. */
export const excerpts: readonly Pick<Block, "page" | "file" | "code">[] = readdirSync(pages)
  .filter((page) => page.endsWith(".md"))
  .flatMap((page) =>
    [
      ...readFileSync(join(pages, page), "utf8").matchAll(
        /^```typescript\n\/\/ ([a-z]+\.ts)\n([^]*?)^```$/gm,
      ),
    ].map(([, file, code]) => ({ page, file: file!, code: code! }))
  );

/** The lines that a program announces, in order: the comments beside its `console.log`. */
export function printed(code: string): string[] {
  return [...code.matchAll(/\bconsole\.log\(.*\);? \/\/ (.*)$/gm)].map(([, line]) => line!);
}

/** A block and all that it imports, itself or by way of others. */
export function withImports(block: Block, found: Set<Block> = new Set([block])): Set<Block> {
  for (const [, file] of block.code.matchAll(/ from "\.\/([a-z.]+)"/g)) {
    const imported = blocks.find((other) => other.file === file);
    if (imported !== undefined && !found.has(imported)) withImports(imported, found.add(imported));
  }
  return found;
}
