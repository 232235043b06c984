import type { Step } from "./explore.ts";
import { type Database, type Fence, namesOf, type Read, type Reader } from "./state.ts";

/** Returns what a reader does next. */
export function read(fence: Fence, database: Database, reader: Reader): Step<Reader> {
  const { checkpoint, delivered } = reader;
  const { what, to: found } = look(fence, database, reader.read ?? { next: fence.read });
  const { next, head, settled, events = [] } = found;
  const limit = settled ?? head ?? Infinity;
  // What is left of a read that can deliver nothing changes nothing.
  if (limit <= checkpoint) return { what, to: { ...reader, read: null } };
  if (next.length > 0) return { what, to: { ...reader, read: found } };
  const due = events.filter(({ position }) => position > checkpoint && position <= limit);
  return {
    what: `${what}, delivers ${namesOf(due)}`,
    to: { checkpoint: limit, delivered: [...delivered, ...due], read: null },
  };
}

function look(fence: Fence, { sequence, row, log, writers }: Database, before: Read): Step<Read> {
  const [step, ...next] = before.next;
  const read = { ...before, next };
  switch (step) {
    case "sequence": {
      const head = fence.readerHead(sequence);
      return settle(fence, `finds the sequence at ${head}`, { ...read, head });
    }
    case "locks": {
      const locks = writers.flatMap(({ held }) => held.lock ?? []).sort((a, b) => a - b);
      const names = locks.length > 0 ? `lock ${locks.join(" and ")}` : "no lock";
      return settle(fence, `finds ${names}`, { ...read, locks });
    }
    case "row":
      return { what: `finds the row at ${row}`, to: { ...read, settled: row } };
    default:
      return { what: "looks for events", to: { ...read, events: log } };
  }
}

/** Once a read has found both the head and the locks, it knows how far the log is settled. */
function settle(fence: Fence, what: string, { head, locks, ...read }: Read): Step<Read> {
  if (head === undefined) return { what, to: { ...read, locks: locks ?? [] } };
  if (locks === undefined) return { what, to: { ...read, head } };
  const settled = head - Math.max(0, ...locks.map((key) => fence.behind(head, key) ?? 0));
  return { what: `${what}, settled is ${settled}`, to: { ...read, settled } };
}
