import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Something that a worker, or who watches it, has done. */
export type Entry =
  /** It stands still at a point. */
  | { readonly what: "reached"; readonly worker: string; readonly point: string }
  /** It handed over an event. */
  | { readonly what: "delivered"; readonly worker: string; readonly event: Delivered }
  /** It has written its progress. */
  | { readonly what: "wrote"; readonly worker: string; readonly progress: Written }
  /** Its progress was refused. */
  | { readonly what: "refused"; readonly worker: string }
  /** Its pass went wrong. */
  | { readonly what: "failed"; readonly worker: string; readonly error: string }
  /** It was ended or frozen, or it ended itself. */
  | { readonly what: "killed" | "stopped"; readonly worker: string }
  /** A writer is about to commit published events. */
  | { readonly what: "committing"; readonly ids: readonly string[] };

/** An event as it was delivered. */
export interface Delivered {
  readonly id: string;
  readonly streamId: string;
  readonly version: number;
  readonly position: number;
}

/** How far a worker has got. */
export interface Written {
  readonly position: number;
  readonly parked: readonly { readonly streamId: string; readonly position: number }[];
  readonly deferred: readonly { readonly streamId: string; readonly position: number }[];
  readonly released: readonly { readonly streamId: string }[];
}

/** Adds an entry. All processes write to one file, whose lines have one order; those of many pipes would have none. */
export function note(path: string, entry: Entry): void {
  appendFileSync(path, `${JSON.stringify(entry)}\n`);
}

/** What happened, in order. */
export class Journal {
  readonly path: string;
  readonly #folder: string;

  constructor() {
    this.#folder = mkdtempSync(join(tmpdir(), "event-sourcery-journal-"));
    this.path = join(this.#folder, "journal");
    appendFileSync(this.path, "");
  }

  note(entry: Entry): void {
    note(this.path, entry);
  }

  entries(): readonly Entry[] {
    const lines = readFileSync(this.path, "utf8").split("\n").slice(0, -1);
    return lines.map((line): Entry => JSON.parse(line));
  }

  /** Waits for an entry, of those after the first `from`. */
  async find(wanted: (entry: Entry) => boolean, from = 0): Promise<Entry> {
    let found: Entry | undefined;
    await until(() => (found = this.entries().slice(from).find(wanted)) !== undefined, () => {
      const last = this.entries().slice(-20).map((entry) => JSON.stringify(entry));
      return `an entry like ${wanted}; the last are\n${last.join("\n")}`;
    });
    return found!;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** Waits until something holds; rejects when that takes too long. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what: () => string = () => String(holds),
  timeout = 30_000,
): Promise<void> {
  const end = performance.now() + timeout;
  while (!await holds()) {
    if (performance.now() > end) {
      throw new Error(`Cannot wait any longer: expected ${what()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
