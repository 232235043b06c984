import type { Writer } from "./writer.ts";

/** Shows how far a long work has come. */
export interface Progress {
  /** Says how much is done by now. */
  readonly set: (done: number) => void;
  /** Ends it: the line stays as it is. */
  readonly end: () => void;
}

/** How often the line of a terminal is written again, in milliseconds. */
const redraw = 100;
/** How often a line is written where there is no terminal, in milliseconds. */
const report = 10_000;
/** How many characters the bar takes. */
const bar = 24;

/** Shows progress: in a terminal as one line with a bar, elsewhere as a line every ten seconds. */
export function progressOn(
  writer: Writer,
  quiet: boolean,
  label: string,
  total: number,
): Progress {
  if (quiet) return { set() {}, end() {} };
  const start = performance.now();
  const { isTTY = false, columns = 80 } = writer;
  let [shown, done, drawn] = [start, 0, false];
  const draw = (now: number) => {
    const text = progressLine(label, done, total, now - start);
    void writer.write(isTTY ? `\r\x1b[2K${text.slice(0, columns - 1)}` : `${text}\n`);
    [shown, drawn] = [now, true];
  };
  return {
    set(value) {
      done = value;
      const now = performance.now();
      if (now - shown >= (isTTY ? redraw : report)) draw(now);
    },
    end() {
      if (!drawn) return; // it took no time worth a line
      draw(performance.now());
      if (isTTY) void writer.write("\n");
    },
  };
}

/**
 * Returns the line that shows how far a work has come.
 *
 * @param elapsed In milliseconds.
 */
function progressLine(
  label: string,
  done: number,
  total: number,
  elapsed: number,
): string {
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * bar);
  const rate = elapsed === 0 ? 0 : done / elapsed * 1000;
  const left = rate === 0 ? "" : `  ${timeOf((total - done) / rate * 1000)} left`;
  const counts = `${number(done)} of ${number(total)}`;
  const drawn = "#".repeat(filled) + ".".repeat(bar - filled);
  return `${label}  [${drawn}]  ${Math.floor(share * 100)} %  ${counts}  ${
    number(Math.round(rate))
  }/s${share === 1 ? "" : left}`;
}

/** Formats a time for people: in its greatest unit. @param milliseconds 0 or more. */
export function timeOf(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
