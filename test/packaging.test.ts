// What the package is does not depend on the runtime that looks at it: Node looks for all three.
import { build, type Metafile } from "esbuild";
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { bin, run } from "./support/command.ts";
import { pack } from "./support/pack.ts";
import { root, runtime } from "./support/root.ts";

interface Manifest {
  readonly version: string;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly imports: Readonly<Record<string, string>>;
}

if (runtime === "node") {
  test("package.json and deno.json name the same version and entries", () => {
    const npm = manifest("package.json");
    const jsr = manifest("deno.json");
    assert.equal(npm.version, jsr.version);
    const compiled = Object.entries(jsr.exports).map(([entry, path]) => {
      const base = String(path).replace(/^\.\/(.*)\.ts$/, "./dist/$1");
      return [entry, { types: `${base}.d.ts`, default: `${base}.js` }];
    });
    assert.deepEqual(npm.exports, Object.fromEntries(compiled));
    for (const [entry, path] of Object.entries(jsr.exports)) {
      assert.equal(jsr.imports[entry.replace(".", "event-sourcery")], path);
      assert.ok(existsSync(join(root, String(path))), `${path} exists`);
    }
  });

  // What is not imported costs nothing: the limits are for a store with its aggregates, and for everything. They were set
  // at 16 and 30 kB. Snapshots and the cache have raised them by 1.3 and 1.0 kB, sensitive fields by 1.5 and 1.9, scheduling
  // by 0.4, and processes and idle runs, which cost nothing unused, the second by 2.8; the observer both by 0.5, and the
  // second by another 0.7; failures in groups, comparing read models, and a rebuild that shows its progress that by 2.1; keys
  // that JSON escapes both by 0.03.
  const store = "Aggregate, decider, defineEvent, EventStore, isEventSourceryError, Repository";
  for (const [names, limit] of [[`{ ${store} }`, 19_450], ["*", 38_230]] as const) {
    test(`mod.ts bundles ${names} to at most ${limit} bytes of our own code`, async () => {
      const { metafile, size } = await bundle("mod.ts", `export ${names} from "./mod.ts";`);
      const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
      assert.deepEqual(inputs.filter((path) => !/^(mod\.ts$|src\/)/.test(path)), []);
      assert.deepEqual(externals(metafile), []);
      assert.ok(size <= limit, `${size} bytes:\n${largest(metafile)}`);
    });
  }

  test("drivers bundle with no package but drizzle-orm", async () => {
    for (
      const entry of ["drivers/memory/mod.ts", "drivers/postgres/mod.ts", "drivers/libsql/mod.ts"]
    ) {
      const { metafile } = await bundle(entry);
      const foreign = externals(metafile).filter((path) => !/^drizzle-orm(\/|$)/.test(path));
      assert.deepEqual(foreign, [], entry);
    }
  });

  test("event-sourcery/evolution bundles with no package, and without the store", async () => {
    const { metafile, size } = await bundle("src/evolution/mod.ts");
    assert.deepEqual(externals(metafile), []);
    const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
    const foreign = inputs.filter((path) => !/^src\/(evolution|event|errors)\//.test(path));
    assert.deepEqual(foreign, []);
    assert.ok(size <= 6_500, `${size} bytes:\n${largest(metafile)}`);
  });

  test("event-sourcery/publishers bundles with no package, and without the store", async () => {
    const { metafile, size } = await bundle("src/publishers/mod.ts");
    assert.deepEqual(externals(metafile), []);
    const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
    const foreign = inputs.filter((path) =>
      !/^src\/(publishers|codec|event|errors|async)\//.test(path)
    );
    assert.deepEqual(foreign, []);
    assert.ok(size <= 11_500, `${size} bytes:\n${largest(metafile)}`);
  });

  test("event-sourcery/otel bundles with no package, and without the store", async () => {
    const { metafile, size } = await bundle("src/otel/mod.ts");
    assert.deepEqual(externals(metafile), []);
    const inputs = Object.keys(metafile.inputs).filter((path) => path !== "<stdin>");
    const used = Object.entries(Object.values(metafile.outputs)[0]!.inputs)
      .flatMap(([path, { bytesInOutput }]) => bytesInOutput > 0 ? [path] : []);
    assert.ok(inputs.length > 0);
    assert.deepEqual(used.filter((path) => !/^(src\/(otel|errors)\/|<stdin>)/.test(path)), []);
    assert.ok(size <= 4_500, `${size} bytes:\n${largest(metafile)}`);
  });

  test("event-sourcery/studio bundles with no package", async () => {
    const { metafile, size } = await bundle("src/studio/mod.ts");
    assert.deepEqual(externals(metafile), []);
    assert.ok(size <= 200_000, `${size} bytes:\n${largest(metafile)}`);
  });

  test("the packed package satisfies publint and are-the-types-wrong", async () => {
    const { tarball, remove } = await pack();
    try {
      const lint = await run([bin("publint"), tarball, "--strict"]);
      assert.ok(lint.ok, lint.output);
      const types = await run([bin("attw"), tarball, "--profile", "esm-only"]);
      assert.ok(types.ok, types.output);
      const { output } = await run(["tar", "-tzf", tarball]);
      const foreign = output.trim().split("\n").filter((path) =>
        !/^package\/(dist\/(mod|(src|drivers)\/.+)\.(js|d\.ts)$|[A-Z]+(\.md)?$|package\.json$|examples\/guide\/llms\.txt$)/
          .test(path)
      );
      assert.deepEqual(foreign, []);
      assert.match(output, /^package\/examples\/guide\/llms\.txt$/m);
    } finally {
      remove();
    }
  });
}

function manifest(name: string): Manifest {
  return JSON.parse(readFileSync(join(root, name), "utf8"));
}

async function bundle(
  entry: string,
  contents: string = `export * from "./${entry}";`,
): Promise<{ metafile: Metafile; size: number }> {
  const { metafile, outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents, resolveDir: root },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    packages: "external",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  return { metafile, size: gzipSync(outputFiles[0]!.contents, { level: 9 }).length };
}

function externals(metafile: Metafile): string[] {
  return Object.values(metafile.outputs).flatMap((output) =>
    output.imports.filter(({ external }) => external).map(({ path }) => path)
  );
}

function largest(metafile: Metafile): string {
  return Object.entries(Object.values(metafile.outputs)[0]!.inputs)
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .map(([path, { bytesInOutput }]) => `${bytesInOutput} ${path}`)
    .join("\n");
}
