import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { after, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import * as mod from "../mod.ts";
import { brokerAnswers, natsAnswers } from "./support/broker.ts";
import { program, run } from "./support/command.ts";
import { errorClasses, errorsPage } from "./support/errors.ts";
import { write } from "./support/folder.ts";
import { type Block, blocks, excerpts, pages, printed, withImports } from "./support/guide.ts";
import { createDatabase } from "./support/postgres.ts";
import { root, runtime } from "./support/root.ts";
import { free } from "./support/server.ts";

/** Files that are run in a way of their own: here, or in runtimes/guide.test.ts. */
const apart: readonly string[] = [
  ...["main.ts", "worker.ts"],
  ...["drizzle.config.ts", "event-sourcery.config.ts", "turso.config.ts"],
];
const folder = write(blocks);
after(() => folder.remove());

if (runtime !== "bun") { // which checks no types
  test("guide: every block compiles", { timeout: 120_000 }, async () => {
    const { ok, output } = await folder.compiled();
    assert(ok, output);
  });
}

const [broker, nats] = [await brokerAnswers(), await natsAnswers()];
const programs = blocks.filter(({ program, runs, code }) =>
  program && runs && (broker || !code.includes("AMQP_URL")) && (nats || !code.includes("NATS_URL"))
);
for (const page of new Set(programs.map(({ page }) => page))) {
  test(`guide: ${page} keeps what it says`, { timeout: 60_000 }, async () => {
    const here = programs.filter((block) => block.page === page);
    // A program with a database of its own has a process of its own; the others share one, which is faster.
    const alone = here.filter(usesServer);
    for (const group of [here.filter((block) => !usesServer(block)), ...alone.map((it) => [it])]) {
      if (group.length === 0) continue;
      const { ok, output } = await folder.run(group);
      assert(ok, output);
      assertPrinted(group, output);
    }
  });
}

test("guide: main.ts serves, projects, publishes and ends", { timeout: 60_000 }, async () => {
  const port = await free();
  const server = await folder.start("main.ts", { PORT: String(port) });
  try {
    await server.prints("ready");
    const orders = `http://127.0.0.1:${port}/orders`;
    const body = JSON.stringify({ sku: "tea", quantity: 2, cents: 450 });
    const added = await fetch(`${orders}/42/lines`, { method: "POST", body });
    assert.equal(added.status, 204);
    assert.deepEqual(await (await fetch(`${orders}/42`)).json(), { cents: 900, submitted: false });
    await server.prints("published LineAdded of order:42");
    const listed = [{ id: "order:42", cents: 900, submitted: false }];
    while (!isDeepStrictEqual(await (await fetch(orders)).json(), listed));
    const empty = await fetch(`${orders}/43/submit`, { method: "POST" });
    assert.equal(empty.status, 409);
    assert.match(await empty.text(), /The order is empty/);
    assert.equal(await server.end(), 0);
  } finally {
    await server.remove();
  }
});

test(
  "guide: event-sourcery.config.ts opens the store of the guide",
  { timeout: 60_000 },
  async () => {
    await folder.compiled();
    const config = join(folder.path, "out", "event-sourcery.config.js");
    const { url, drop } = await createDatabase();
    try {
      for (const line of [["migrate"], ["rebuild", "overview"], ["status"]]) {
        const command = program("src/cli/bin", ...line, "--config", config);
        const { ok, output } = await run(command, { env: { DATABASE_URL: url } });
        // It asks, and there is nobody to answer.
        assert.equal(ok, line[0] !== "rebuild", output);
        assert.match(output, line[0] === "rebuild" ? /use --yes/ : /event-sourcery\.config/);
      }
    } finally {
      await drop();
    }
  },
);

test("guide: errors.md says what the classes of errors say", () => {
  const classes = errorClasses();
  const exported = Object.entries(mod).filter(([, value]) =>
    typeof value === "function" && value.prototype instanceof mod.EventSourceryError
  );
  assert.deepEqual(classes.map(({ name }) => name).sort(), exported.map(([name]) => name).sort());
  const page = join(pages, "errors.md");
  if (process.env["UPDATE_GUIDE"]) writeFileSync(page, errorsPage(classes));
  const same = readFileSync(page, "utf8") === errorsPage(classes);
  assert(same, "errors.md is out of date; refresh it: UPDATE_GUIDE=1 npm test -- node guide");
});

test("guide: every program asserts or prints what it claims", () => {
  const silent = blocks.filter(({ code, program }) =>
    program && printed(code).length === 0 && !code.includes("assert")
  );
  assert.deepEqual(silent.map(({ file }) => file), []);
});

test("guide: every file has one name, and a program that uses it", () => {
  const files = blocks.map(({ file }) => file);
  assert.deepEqual(files.filter((file, index) => files.indexOf(file) !== index), []);
  const unused = blocks.filter(({ file, program }) =>
    !program && !apart.includes(file) && !blocks.some(({ code }) => code.includes(`"./${file}"`))
  );
  assert.deepEqual(unused.map(({ file }) => file), []);
});

test("guide: parts of examples/frameworks are as they stand there", () => {
  const programs = join(root, "examples", "frameworks");
  const same = blocks.filter(({ file, program }) => !program && existsSync(join(programs, file)))
    .map(({ code, ...block }) => ({ ...block, code: code.replace(/^.*\n/, "") }));
  assert(same.length >= 2 && excerpts.length >= 8);
  const differ = [...same, ...excerpts].filter(({ file, code }) =>
    !readFileSync(join(programs, file), "utf8").includes(code)
  );
  assert.deepEqual(differ.map(({ page, file }) => `${page}: ${file}`), []);
});

/** How much of a page one sees at once: rows, and the letters of a row. */
const [screen, width] = [60, 120];
const pageNames = readdirSync(pages).filter((name) => name.endsWith(".md"));

test("guide: every link leads to a page and a heading", () => {
  const broken = pageNames.flatMap((page) => {
    const text = readFileSync(join(pages, page), "utf8");
    return [...text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)]
      .filter(([, path, heading]) => {
        const target = join(pages, path || page);
        if (!existsSync(target)) return true;
        return heading !== undefined && !headings(readFileSync(target, "utf8")).includes(heading);
      })
      .map(([link]) => `${page}: ${link}`);
  });
  assert.deepEqual(broken, []);
});

test("guide: every page is at most two screens, apart from the generated ones", () => {
  const rows = (text: string) =>
    text.trimEnd().split("\n")
      .filter((line) => !line.startsWith("```"))
      .map((line) => line.startsWith("|") ? 1 : Math.max(1, Math.ceil(line.length / width)))
      .reduce((sum, rows) => sum + rows, 0);
  const long = pageNames.filter((page) => !["commands.md", "errors.md"].includes(page))
    .map((page) => `${page}: ${rows(readFileSync(join(pages, page), "utf8"))}`)
    .filter((row) => Number(row.split(" ")[1]) > 2 * screen);
  assert.deepEqual(long, []);
});

test("guide: README.md lists every page", () => {
  const listed = readFileSync(join(pages, "README.md"), "utf8");
  const missing = pageNames.filter((page) => page !== "README.md" && !listed.includes(`(${page})`));
  assert.deepEqual(missing, []);
});

/** The anchors of a page's headings. */
function headings(text: string): string[] {
  return [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!.toLowerCase().replace(/[^\w -]/g, "").replaceAll(" ", "-")
  );
}

function usesServer(block: Block): boolean {
  return [...withImports(block)].some(({ code }) => code.includes("DATABASE_URL"));
}

/** The lines that programs announce come in their order; others may stand between them. */
function assertPrinted(programs: readonly Block[], output: string): void {
  const lines = output.split("\n");
  for (const line of programs.flatMap(({ code }) => printed(code))) {
    const index = lines.indexOf(line);
    assert(index >= 0, `${line}\nis not what comes next in\n${output}`);
    lines.splice(0, index + 1);
  }
}
