import process from "node:process";
import { bar, count } from "./chart.ts";

/** Makes a progress bar that redraws itself in a terminal, and prints nothing elsewhere. */
export function progress(
  total: number,
  terminal: Pick<NodeJS.WriteStream, "isTTY" | "write"> = process.stderr,
): (done: number) => void {
  if (!terminal.isTTY || total === 0) return () => {};
  const start = performance.now();
  return (done) => {
    const rate = done / (performance.now() - start) * 1000;
    const share = `${Math.floor(done / total * 100)}`.padStart(3);
    const line = `${share} % ${bar(done, total, 30).padEnd(30, "░")} ${count(rate)} commits/s`;
    terminal.write(done < total ? `\r\x1b[K${line}` : "\r\x1b[K");
  };
}

/** Describes how long a number of events took since a time. */
export function speed(events: number, start: number): string {
  const seconds = (performance.now() - start) / 1000;
  return `in ${seconds.toFixed(2)} s (${count(events / seconds)} events/s)`;
}
