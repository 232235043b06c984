/** How many tests ended in which way. */
export interface Count {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** No test at all. */
export const none: Count = { passed: 0, failed: 0, skipped: 0 };

/** Adds two counts. */
export function add(a: Count, b: Count): Count {
  return {
    passed: a.passed + b.passed,
    failed: a.failed + b.failed,
    skipped: a.skipped + b.skipped,
  };
}

const patterns: Record<keyof Count, readonly RegExp[]> = {
  passed: [/^ℹ pass (\d+)$/gm, /\| (\d+) passed/g, /^ *(\d+) pass$/gm],
  failed: [
    ...[/^ℹ fail (\d+)$/gm, /^ℹ cancelled (\d+)$/gm],
    ...[/\| (\d+) failed/g, /^ *(\d+) fail$/gm, /^ *(\d+) errors?$/gm],
  ],
  skipped: [
    ...[/^ℹ skipped (\d+)$/gm, /^ℹ todo (\d+)$/gm],
    ...[/\| (\d+) ignored/g, /^ *(\d+) skip$/gm, /^ *(\d+) todo$/gm],
  ],
};

/**
 * Reads the summary that Node's, Deno's or Bun's test runner printed. A run that ended badly counts
 * at least one failure, and so does a run without a test: a suite that vanished has not succeeded.
 */
export function count(output: string, ok: boolean): Count {
  const sum = (kind: keyof Count) =>
    patterns[kind].flatMap((pattern) => [...output.matchAll(pattern)])
      .reduce((total, match) => total + Number(match[1]), 0);
  const found = { passed: sum("passed"), failed: sum("failed"), skipped: sum("skipped") };
  const silent = found.failed === 0 && (!ok || found.passed + found.skipped === 0);
  return silent ? { ...found, failed: 1 } : found;
}
