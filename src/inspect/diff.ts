/**
 * A line of one state or of both.
 *
 * @category Inspect
 */
export interface DiffLine {
  /** Whether only the state after has it, only the one before, or both. */
  readonly kind: "added" | "removed" | "same";
  /** The line. */
  readonly text: string;
}

/** The most lines that are compared: each with each, which takes 4 million steps. */
const most = 2000;

/**
 * Compares texts line by line: the lines that both have are as many as there can be in the same order.
 *
 * @returns The lines, those that are removed before those that replace them; not complete if there are too many.
 */
export function diffOf(
  before: readonly string[],
  after: readonly string[],
): { readonly lines: readonly DiffLine[]; readonly complete: boolean } {
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const [old, fresh] = [before, after].map((lines) => lines.slice(start, lines.length - end));
  const complete = old!.length <= most && fresh!.length <= most;
  const middle = complete
    ? compare(old!, fresh!)
    : [...marked("removed", old!), ...marked("added", fresh!)];
  const lines = [
    ...marked("same", before.slice(0, start)),
    ...middle,
    ...marked("same", before.slice(before.length - end)),
  ];
  return { lines, complete };
}

function marked(kind: DiffLine["kind"], lines: readonly string[]): readonly DiffLine[] {
  return lines.map((text) => ({ kind, text }));
}

/** Compares by the lengths of the longest common subsequences of what follows each pair of lines. */
function compare(old: readonly string[], fresh: readonly string[]): readonly DiffLine[] {
  const width = fresh.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = fresh.length - 1; column >= 0; column--) {
      const at = row * width + column;
      common[at] = old[row] === fresh[column]
        ? common[at + width + 1]! + 1
        : Math.max(common[at + width]!, common[at + 1]!);
    }
  }
  const lines: DiffLine[] = [];
  let [row, column] = [0, 0];
  while (row < old.length || column < fresh.length) {
    const at = row * width + column;
    if (row < old.length && column < fresh.length && old[row] === fresh[column]) {
      lines.push({ kind: "same", text: old[row++]! });
      column++;
    } else if (
      column === fresh.length || (row < old.length && common[at + width]! >= common[at + 1]!)
    ) {
      lines.push({ kind: "removed", text: old[row++]! });
    } else lines.push({ kind: "added", text: fresh[column++]! });
  }
  return lines;
}
