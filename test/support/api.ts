import { readFileSync } from "node:fs";
import { join } from "node:path";
import { bin, run } from "./command.ts";
import { root } from "./root.ts";

/** An exported name. */
export interface Exported {
  /** How it is declared, such as `function fits(…): boolean`; several times where it is overloaded. */
  readonly signature: string;
  readonly category: string;
  /** The first sentence of its comment. */
  readonly summary: string;
  /** Its members as they are declared. */
  readonly members: readonly string[];
}

/** What an entry of the package exports. */
export interface Entry {
  /** Its name, such as `event-sourcery/memory`. */
  readonly name: string;
  /** The first sentence of the comment of its module. */
  readonly summary: string;
  readonly exported: readonly Exported[];
}

/** Reads what all entries export, as the documentation shows it. */
export async function readEntries(): Promise<readonly Entry[]> {
  const { exports } = JSON.parse(readFileSync(join(root, "deno.json"), "utf8"));
  return await Promise.all(
    Object.entries<string>(exports).map(async ([entry, path]) => {
      const { ok, output } = await run([bin("deno"), "doc", "--quiet", path]);
      if (!ok) throw new Error(output);
      const [top = "", ...symbols] = output.split(/^Defined in .*\n\n/m);
      return {
        name: entry.replace(".", "event-sourcery"),
        summary: sentence(top),
        exported: symbols.map(parse),
      };
    }),
  );
}

/** Parts the text of a symbol: its declaration, its comment, and after two empty lines its members with theirs. */
function parse(text: string): Exported {
  const [head = "", ...rest] = text.trimEnd().split("\n");
  const end = rest.findIndex((line, index) => line === "" && rest[index + 1] === "");
  const comment = end < 0 ? rest : rest.slice(0, end);
  const members = end < 0 ? [] : rest.slice(end).filter((line) => /^ {2}\S/.test(line));
  const at = comment.indexOf("  @category");
  return {
    signature: head,
    category: comment[at + 1]?.trim() ?? "",
    summary: sentence(comment.map((line) => line.trim()).join("\n")),
    members: members.map((line) => line.trim()),
  };
}

/** Returns the first sentence of a comment. */
function sentence(comment: string): string {
  const [paragraph = ""] = comment.trim().split(/\n\s*\n|\n@/);
  const text = paragraph.replaceAll(/\s+/g, " ");
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}

/** Writes the names that an entry exports, with their types. */
export function report({ exported }: Entry): string {
  return exported.map(({ signature, members }) =>
    [signature, ...members.map((member) => `  ${member}`)].join("\n")
  ).join("\n") + "\n";
}

/** Where the guide is, for whoever has the package alone. */
const online = "https://github.com/event-sourcery/event-sourcery-ts/blob/main/examples/guide";

/** Writes the page for language models: what the library is, its guide, and its API in short. */
export function llmsPage(entries: readonly Entry[]): string {
  const { version, description } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const first = /```ts\n([^]*?)```/.exec(read("README.md"))?.[1] ?? "";
  const pages = [
    ...read("examples/guide/README.md").matchAll(/^\| \[(\w+)\]\((\w+\.md)\) +\| (.+?) +\|$/gm),
  ];
  return `# event-sourcery ${version}

> ${description}

TypeScript, without dependencies; stores by a driver: memory, Postgres and libSQL (SQLite) through Drizzle. From npm: \`event-sourcery\`; from JSR: \`@event-sourcery/event-sourcery\`. What is imported below as \`event-sourcery/…\` is an entry of the package.

\`\`\`ts
${first}\`\`\`

## Guide

${pages.map(([, name, file, about]) => `- [${name}](${online}/${file}): ${about}`).join("\n")}

## API

In the order of the entries. Members are written without \`readonly\` and \`| undefined\`.
${entries.map(section).join("")}`;
}

function section({ name, summary, exported }: Entry): string {
  const categories = [...new Set(exported.map(({ category }) => category))].sort();
  return `\n### ${name}\n\n${summary}\n` + categories.map((category) => {
    const own = exported.filter((one) => one.category === category);
    return `\n#### ${category}\n\n${listed(category, own)}\n`;
  }).join("");
}

/** Lists names: those that few need, by their names alone. */
function listed(category: string, exported: readonly Exported[]): string {
  if (category === "Drivers") {
    const names = exported.map(({ signature }) =>
      /(?:interface|type|function|class|const) (\w+)/.exec(signature)![1]
    );
    return `For those who write a driver: ${[...new Set(names)].join(", ")}`;
  }
  if (category === "Errors") {
    const classes = exported.filter(({ signature }) => /\bclass /.test(signature));
    return classes.map(({ signature, summary }) =>
      `- \`${/class (\w+)/.exec(signature)![1]}\`: ${summary}`
    ).join("\n");
  }
  return exported.map(({ signature, summary, members }) => {
    const body = members.map(short).join("; ");
    return `- \`${short(signature)}${body === "" ? "" : ` { ${body} }`}\`: ${summary}`;
  }).join("\n");
}

function short(declaration: string): string {
  return declaration.replaceAll(/\breadonly (?!\w+\[\])/g, "").replaceAll(" | undefined", "")
    .replace(/^export /, "");
}
