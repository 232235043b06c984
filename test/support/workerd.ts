import { build } from "esbuild";
import { Miniflare } from "miniflare";

/** Bundles a Worker and starts it; what needs a module of Node's cannot be bundled. */
export async function startWorker(
  entry: string,
  bindings: Record<string, string>,
): Promise<Miniflare> {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    format: "esm",
    platform: "browser",
    conditions: ["workerd"],
    write: false,
    logLevel: "silent",
  });
  const worker = new Miniflare({
    modules: true,
    script: outputFiles[0]!.text,
    bindings,
    compatibilityDate: "2026-01-01",
    compatibilityFlags: [], // no `nodejs_compat`
    unsafeTriggerHandlers: true, // so that a test may call the cron trigger
    cf: false, // else it asks the network where it is
  });
  await worker.ready;
  return worker;
}
