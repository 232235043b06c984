/**
 * Collects garbage, on Deno, where the tests are started with the function for it.
 *
 * The libSQL client leaves statements for the collector. Those of a file that are still there when the thread of a test
 * file ends take Deno down with them.
 */
export function collect(): void {
  const gc: unknown = Reflect.get(globalThis, "gc");
  if (typeof gc === "function") gc();
}
