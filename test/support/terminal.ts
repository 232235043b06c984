import { type Io, run } from "event-sourcery/cli";
import { tmpdir } from "node:os";

/** What a command line wrote, and its exit code. */
export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both, in the order in which they were written. */
  readonly text: string;
}

/** Runs a command line in this process, as the program would; no configuration is in reach. */
export async function type(line: string | readonly string[], io: Partial<Io> = {}): Promise<Ran> {
  const written = { stdout: "", stderr: "", text: "" };
  const writer = (stream: "stdout" | "stderr", given: Io["stdout"] | undefined): Io["stdout"] => ({
    ...given,
    write(text) {
      written[stream] += text;
      written.text += text;
      return given?.write(text);
    },
  });
  const code = await run(typeof line === "string" ? wordsOf(line) : line, {
    env: {},
    folder: tmpdir(),
    ...io,
    stdout: writer("stdout", io.stdout),
    stderr: writer("stderr", io.stderr),
  });
  return { code, ...written };
}

/** Splits a line into words, as a shell does without quotes. */
function wordsOf(line: string): readonly string[] {
  return line.split(" ").filter((word) => word !== "");
}

/** What was typed in a page, and the answer that stands below it. */
export interface Exchange {
  readonly line: string;
  readonly answer: string;
}

/** Finds what a page shows of the command line: in blocks of `sh`, the lines that begin with `$ event-sourcery`. */
export function exchangesOf(page: string): readonly Exchange[] {
  return [...page.matchAll(/^```sh\n(\$ event-sourcery[^]*?)^```$/gm)].flatMap(([, block]) =>
    block!.split(/^\$ event-sourcery /m).slice(1).map((part) => {
      const [line, ...answer] = part.split("\n");
      return { line: line!, answer: answer.join("\n").trimEnd() };
    })
  );
}

/** Writes the answers into a page, where they differ in more than what `masked` leaves out. */
export function withAnswers(page: string, answers: readonly string[]): string {
  const left = [...answers];
  return page.replace(
    /^```sh\n(\$ event-sourcery[^]*?)^```$/gm,
    (_, block: string) => {
      const lines = block.split("\n").filter((line) => line.startsWith("$ event-sourcery "));
      return `\`\`\`sh\n${
        lines.map((line) => `${line}\n${left.shift()}`.trimEnd() + "\n").join("\n")
      }\`\`\``;
    },
  );
}

/** The text as a page shows it: with the exit code where that is not 0. */
export function answerOf({ code, text }: Ran): string {
  return `${text.trimEnd()}${code === 0 ? "" : `\n(exit ${code})`}`.replace(/^\n/, "");
}

/** Leaves out what differs between runs: times of today, ages, and the width of a table that they change. */
export function masked(text: string): string {
  return text
    .replace(/\b(?!2026-11-25T09:00)\d{4}-\d\d-\d\dT[\d:.]+Z/g, "<time>")
    .replace(/\b\d+ (?:ms|s|min|h|d)\b/g, "<age>")
    .replace(/"age":\d+/g, '"age":0')
    .replace(/(^|"database":")(?:postgres, schema event_sourcery|libsql, tables es_\*)/gm, "$1shop")
    .replace(/ {2,}/g, "  ").replace(/ +$/gm, "").trim();
}
