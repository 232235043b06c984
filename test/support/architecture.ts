import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { root } from "./root.ts";

/** What a room may import: other rooms by their folders, packages by their names. */
export type Rooms = ReadonlyMap<string, readonly string[]>;

/** Reads the table of rooms in `src/README.md`; its last column says what a room may import. */
export function readRooms(text: string = readFileSync(join(root, "src/README.md"), "utf8")): Rooms {
  const rows = [...text.matchAll(/^\| `((?:src|drivers)\/[\w/]+)` +\|.*\| (.+?) +\|$/gm)];
  const names = rows.map(([, room]) => room!);
  return new Map(rows.map(([, room, allowed]) => {
    const named = [...allowed!.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const all = /every room of `src`/.test(allowed!)
      ? names.filter((name) => /^src\/\w+$/.test(name) && name !== "src/testing")
      : [];
    return [room!, [...named.filter((name) => name !== "src"), ...all]];
  }));
}

/**
 * Says what is wrong with a source file of `mod.ts`, `src/` or `drivers/`: imports against the
 * table of rooms, and what the house rules forbid.
 *
 * @param path From the repository's top folder, with forward slashes.
 */
export function violations(path: string, source: string, rooms: Rooms = readRooms()): string[] {
  const found: string[] = [];
  const code = plain(source);
  const room = posix.dirname(path);
  if (path !== "mod.ts" && !rooms.has(room)) found.push(`${path} is in no room of the table`);
  else {
    for (const specifier of imports(source)) {
      if (!allowed(path, specifier, rooms)) found.push(`${path} imports "${specifier}"`);
    }
  }
  if (/\bexport\s*\*/.test(code)) found.push(`${path} has "export *"`);
  if (/(?::|\bas|[<|&,(=])\s*any\b/.test(code)) found.push(`${path} uses "any"`);
  const lines = source.split("\n").length - 1;
  const most = path === "mod.ts" ? 400 : 300; // which is a list
  if (lines > most) found.push(`${path} has ${lines} lines`);
  const named = path.split("/").every((part) => /^_?[a-z0-9]+(\.ts)?$/.test(part));
  if (!named) found.push(`${path} is not named by one lower-case word`);
  return found;
}

/** Lists the specifiers that a source imports or re-exports, statically or dynamically. */
export function imports(source: string): string[] {
  const statements = /^(?:import|export)\s(?:[\w$*{},\s]*?\bfrom\s*)?["']([^"']+)["']/gm;
  const calls = /^(?!\s*(?:\*|\/\/)).*\bimport\(\s*["'`]([^"'`]+)["'`]/gm;
  return [statements, calls].flatMap((pattern) =>
    [...source.matchAll(pattern)].map((match) => match[1]!)
  );
}

/** Finds files that import each other in a circle, types included; each circle by its files. */
export function circles(sources: ReadonlyMap<string, string>): string[][] {
  // Tarjan: a file is in a circle with all that reach it again.
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const found: string[][] = [];
  const visit = (path: string): void => {
    index.set(path, index.size);
    low.set(path, index.get(path)!);
    stack.push(path);
    for (const next of targets(path, sources)) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(path, Math.min(low.get(path)!, low.get(next)!));
    }
    if (low.get(path) !== index.get(path)) return;
    const circle = stack.splice(stack.indexOf(path));
    if (circle.length > 1) found.push(circle.sort());
  };
  for (const path of sources.keys()) if (!index.has(path)) visit(path);
  return found;
}

/** Lists what is exported and imported by no other file: `file: name`. Entries export for users. */
export function deadExports(
  sources: ReadonlyMap<string, string>,
  entries: readonly string[],
): string[] {
  const used = new Set<string>();
  for (const [path, source] of sources) {
    const statements = /^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s*from\s*["'](\.[^"']+)["']/gm;
    for (const [, names, specifier] of source.matchAll(statements)) {
      const target = posix.join(posix.dirname(path), specifier!);
      for (const name of names!.split(",")) {
        used.add(`${target}: ${name.trim().replace(/^type\s+/, "").split(/\s+as\s+/)[0]}`);
      }
    }
    for (
      const [, specifier] of source.matchAll(/^import\s+\* as \w+ from\s*["'](\.[^"']+)["']/gm)
    ) {
      used.add(`${posix.join(posix.dirname(path), specifier!)}: *`);
    }
  }
  const declared =
    /^export\s+(?:declare\s+)?(?:abstract\s+)?(?:async\s+)?(?:class|interface|type|function\*?|const|let|enum)\s+(\w+)/gm;
  return [...sources].filter(([path]) => !entries.includes(path)).flatMap(([path, source]) =>
    [...new Set([...plain(source).matchAll(declared)].map(([, name]) => `${path}: ${name}`))]
      .filter((name) => !used.has(name) && !used.has(`${path}: *`))
  );
}

/** The files of ours that a file imports, types included. */
function targets(path: string, sources: ReadonlyMap<string, string>): string[] {
  return imports(sources.get(path)!)
    .filter((specifier) => specifier.startsWith("."))
    .map((specifier) => posix.join(posix.dirname(path), specifier))
    .filter((target) => sources.has(target));
}

function allowed(path: string, specifier: string, rooms: Rooms): boolean {
  const room = posix.dirname(path);
  const may = path === "mod.ts"
    ? [...rooms.keys()].filter((name) => /^src\/\w+$/.test(name) && name !== "src/testing")
    : rooms.get(room)!;
  if (!specifier.startsWith(".")) return may.includes(specifier);
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.endsWith(".ts")) return false;
  const other = target === "mod.ts" ? target : posix.dirname(target);
  return other === room || may.includes(other);
}

// Without comments, and with empty strings: their words are not code.
function plain(source: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|(["'])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (text) => text.startsWith("/") ? "" : '""');
}
