import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./root.ts";

/** An error class, as its doc comment describes it. */
export interface ErrorClass {
  readonly name: string;
  readonly code: string;
  readonly retryable: boolean;
  /** What happened: the rest of the doc comment. */
  readonly cause: string;
  /** The paragraph of the doc comment that begins with "What to do: "; empty where there is none. */
  readonly remedy: string;
}

/** Reads the error classes from the sources, sorted by code. */
export function errorClasses(): ErrorClass[] {
  const folder = join(root, "src");
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.includes("testing"))
    .flatMap((path) => classesIn(readFileSync(join(folder, path), "utf8")))
    .sort((one, other) => one.code < other.code ? -1 : 1);
}

/** Finds the error classes in a source file. */
export function classesIn(source: string): ErrorClass[] {
  const pattern =
    /\/\*\*((?:(?!\*\/)[^])*)\*\/\nexport class (\w+) extends EventSourceryError \{\n([^]*?)\n\}\n/g;
  return [...source.matchAll(pattern)].map(([, comment, name, body]) => {
    const paragraphs = paragraphsOf(comment!);
    const remedies = paragraphs.filter((text) => text.startsWith(mark));
    return {
      name: name!,
      code: /readonly code(?:: | = )"(\w+)"/.exec(body!)![1]!,
      retryable: /readonly retryable\b.*= true/.test(body!),
      cause: paragraphs.filter((text) => !remedies.includes(text)).join("\n\n"),
      remedy: remedies.map((text) => text.slice(mark.length)).join(" "),
    };
  });
}

/** Renders the guide's page about errors. */
export function errorsPage(classes: readonly ErrorClass[]): string {
  const sections = classes.map(({ name, code, retryable, cause, remedy }) => {
    const title = `\`${name}\`${retryable ? ", retryable" : ""}`;
    const what = remedy === "" ? "" : `**What to do:** ${upper(remedy)}`;
    return [`## ${code}`, title, cause, what].filter((text) => text !== "").join("\n\n");
  });
  return `${[introduction, ...sections].join("\n\n")}\n`;
}

const mark = "What to do: ";

const introduction = `# Errors

<!-- Made from the doc comments of the classes: UPDATE_GUIDE=1 npm test -- node guide -->

Every error of this library has a \`code\`; \`retryable\` means that the same call may succeed if it is repeated. The error of the database client is the \`cause\`. No message contains event data, SQL or parameters. A mistake in a call is a \`TypeError\` or \`RangeError\` that names the argument, the allowed values and the given one.

\`\`\`ts
import { defineEvent, EventStore, isEventSourceryError } from "event-sourcery";
import { memory } from "event-sourcery/memory";

const Noted = defineEvent("Noted");
const store = new EventStore(memory(), { events: [Noted] });
await store.append("note:1", Noted());
try {
  await store.append("note:1", Noted(), { expectedVersion: "noStream" });
} catch (error) {
  if (!isEventSourceryError(error, "CONCURRENCY")) throw error; // by its code, whichever copy threw it
  console.log(error.streamId, error.actual, error.retryable); // note:1 1 true
}
\`\`\``;

function paragraphsOf(comment: string): string[] {
  const text = comment.split("\n").map((line) => line.replace(/^\s*\* ?/, "").trim()).join("\n");
  const [description] = text.split(/^@/m);
  return description!.trim().split(/\n{2,}/).map((paragraph) => paragraph.replaceAll("\n", " "));
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
