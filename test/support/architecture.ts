import { posix } from "node:path";

/**
 * Says what is wrong with a source file of `mod.ts`, `src/` or `drivers/`: imports against the
 * directions of the architecture, and what the house style forbids.
 *
 * @param path From the repository's top folder, with forward slashes.
 */
export function violations(path: string, source: string): string[] {
  const found: string[] = [];
  const code = plain(source);
  for (const specifier of imports(source)) {
    if (!allowed(path, specifier)) found.push(`${path} imports "${specifier}"`);
  }
  if (/\bexport\s*\*/.test(code)) found.push(`${path} has "export *"`);
  if (/(?::|\bas|[<|&,(=])\s*any\b/.test(code)) found.push(`${path} uses "any"`);
  const lines = source.split("\n").length - 1;
  if (lines > 300) found.push(`${path} has ${lines} lines`);
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

function allowed(path: string, specifier: string): boolean {
  if (!specifier.startsWith(".")) {
    if (path.startsWith("src/testing/")) return specifier === "node:assert/strict";
    return /^drivers\/\w+\//.test(path) && /^drizzle-orm(\/[a-z]+-core)?$/.test(specifier);
  }
  const target = posix.join(posix.dirname(path), specifier);
  if (!target.endsWith(".ts")) return false;
  const [top, part] = path.split("/") as [string, string?];
  switch (top) {
    case "mod.ts":
      return /^src\/[^/]+$/.test(target);
    case "src": // what the core does not need, the core does not import
      return /^src\/[^/]+$/.test(target) ||
        path !== posix.join("src", posix.basename(path)) && target.startsWith(`src/${part}/`);
    default: // a driver: like a stranger's, it knows the core's front door only
      if (target === "mod.ts") return true;
      if (/^drivers\/(?!memory)\w+\.ts$/.test(target)) return true; // what all drivers may share
      return target.startsWith(`drivers/${part}/`) ||
        /^drivers\/\w+\//.test(path) && target.startsWith("drivers/_sql/");
  }
}

// Without comments, and with empty strings: their words are not code.
function plain(source: string): string {
  const token = /\/\*[\s\S]*?\*\/|\/\/[^\n]*|(["'])(?:\\.|(?!\1)[^\\\n])*\1|`(?:\\.|[^`\\])*`/g;
  return source.replace(token, (text) => text.startsWith("/") ? "" : '""');
}
