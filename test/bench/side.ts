// A process of its own for each library, so that none is in another's way, shares its settings or brings the run down.
// `child.ts` starts it with the library's name and the place, and asks for one task after the other.
import process from "node:process";
import type { Kind, Library, Open } from "./library.ts";
import { order } from "./library.ts";

/** What came of some work: how many things in how many milliseconds, and the processor time of this process. */
export interface Work {
  readonly count: number;
  readonly milliseconds: number;
  /** In milliseconds. */
  readonly cpu: number;
  /** The most memory that the process has held so far, in MB. */
  readonly memory: number;
}

/** An event that a consumer was handed, and when: in milliseconds since 1970. */
export type Handled = readonly [stream: string, count: number, at: number, sent: number];

const [name, kind, url] = process.argv.slice(2);
const { open }: { open: Open } = await import(`./libraries/${name}.js`);
const library: Library = await open({ kind: kind as Kind, url: url! });
/** How many events each stream was given here, as far as it has answered. */
const given = new Map<string, number>();
let following: { readonly ended: Promise<unknown>; readonly stop: AbortController } | undefined;
let followed: Handled[] = [];

/** The tasks that a side can be given. */
export const tasks = {
  /** Makes the tables. */
  async migrate(): Promise<void> {
    await library.migrate?.();
  },

  /** Appends one event a call for a while, each caller to a stream of its own. */
  append: (round: string, callers: number, milliseconds: number): Promise<Work> =>
    measured(callers, milliseconds, async (caller) => {
      const stream = `order:${round}-${caller}`;
      const from = given.get(stream) ?? 0;
      await library.append!(stream, from, 1);
      given.set(stream, from + 1);
    }),

  /** Appends events that were made before, to so many streams in turn, of a store that is empty. */
  async appendMade(prefix: string, streams: number, events: number): Promise<Work> {
    const each = Array.from({ length: events }, (_, index) => index);
    const append = library.made!(each.map((index) => Math.floor(index / streams)));
    const ids = Array.from({ length: streams }, (_, stream) => `${prefix}${stream}`);
    given.clear();
    for (const id of ids) given.set(id, events / streams);
    const cpu = process.cpuUsage();
    const start = performance.now();
    for (let index = 0; index < events; index++) await append(ids[index % streams]!, index);
    return { count: events, milliseconds: performance.now() - start, ...spent(cpu) };
  },

  /** Fills streams, some hundred events a call; on a server that takes them together, eight streams at a time. */
  async fill(prefix: string, streams: number, events: number): Promise<void> {
    let next = 0;
    const callers = kind === "given" || kind === "embedded" ? 8 : 1;
    await Promise.all(Array.from({ length: callers }, async () => {
      while (next < streams) {
        const stream = `${prefix}${next++}`;
        for (let from = 0; from < events; from += 500) {
          await library.append!(stream, from, Math.min(500, events - from));
        }
        given.set(stream, events);
      }
    }));
  },

  /** Loads a stream for a while; counts its events. */
  async load(stream: string, milliseconds: number): Promise<Work> {
    const work = await measured(1, milliseconds, () => library.load!(stream));
    return { ...work, count: work.count * given.get(stream)! };
  },

  /** Commands on one stream after the other, or all on one. */
  command: (
    prefix: string,
    streams: number,
    callers: number,
    milliseconds: number,
  ): Promise<Work> => {
    let next = 0;
    return measured(callers, milliseconds, async () => {
      const stream = `${prefix}${next++ % streams}`;
      await library.command!(stream);
      given.set(stream, given.get(stream)! + 1);
    });
  },

  /** Loads what was appended: the streams with what each should have and what it has. */
  async stored(): Promise<readonly (readonly [number, readonly number[]])[]> {
    const streams = [...given];
    const found: (readonly [number, readonly number[]])[] = [];
    await Promise.all(Array.from({ length: 8 }, async () => {
      for (let next = streams.pop(); next !== undefined; next = streams.pop()) {
        found.push([next[1], (await library.load!(next[0])).map(({ count }) => count)]);
      }
    }));
    return found;
  },

  /** Hands over what a consumer has not seen, and lists it. */
  async consume(name: string, count: number, workers: number): Promise<[Work, Handled[]]> {
    const handled: Handled[] = [];
    const start = performance.now();
    const cpu = process.cpuUsage();
    await library.consume!((stream, data) => {
      handled.push([stream, data.count, now(), data.price]);
    }, { name, count, workers });
    const milliseconds = performance.now() - start;
    return [{ count: handled.length, milliseconds, ...spent(cpu) }, handled];
  },

  /** Starts to follow. */
  follow(): Promise<void> {
    const stop = new AbortController();
    const ended = library.follow!((stream, data) => {
      followed.push([stream, data.count, now(), data.price]);
    }, stop.signal);
    following = { ended, stop };
    return Promise.resolve();
  },

  /** Gives what was followed since it was last asked for. */
  followed(): Promise<readonly Handled[]> {
    const found = followed;
    followed = [];
    return Promise.resolve(found);
  },

  /** Sends events one by one, with pauses of 10 to 30 ms. */
  async send(from: number, count: number): Promise<void> {
    for (let index = from; index < from + count; index++) {
      await new Promise((resolve) => setTimeout(resolve, 10 + Math.random() * 20));
      await library.send!(`sent:${index}`, order(0, now()));
    }
  },

  /** Rebuilds a read model; resolves with its sum, too. */
  async rebuild(): Promise<[Work, number]> {
    const start = performance.now();
    const cpu = process.cpuUsage();
    const sum = await library.rebuild!();
    return [{ count: 0, milliseconds: performance.now() - start, ...spent(cpu) }, sum];
  },

  /** Appends once, and says how long ago the process was started: in milliseconds. */
  async cold(): Promise<number> {
    await library.append!(`order:cold-${process.pid}`, 0, 1);
    return performance.now();
  },

  async close(): Promise<void> {
    following?.stop.abort();
    await following?.ended;
    await library.close();
  },
};

function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Works for a while with so many callers, who wait for each answer. */
async function measured(
  callers: number,
  milliseconds: number,
  work: (caller: number) => Promise<unknown>,
): Promise<Work> {
  let count = 0;
  const cpu = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, async (_, caller) => {
    while (performance.now() - start < milliseconds) {
      await work(caller);
      count++;
    }
  }));
  return { count, milliseconds: performance.now() - start, ...spent(cpu) };
}

function spent(before: NodeJS.CpuUsage): { readonly cpu: number; readonly memory: number } {
  const { user, system } = process.cpuUsage(before);
  return { cpu: (user + system) / 1000, memory: process.resourceUsage().maxRSS / 1024 };
}

process.on("message", ([task, ...args]: [keyof typeof tasks, ...never[]]) => {
  (tasks[task] as (...args: never[]) => Promise<unknown>)(...args).then(
    (answer) => process.send!({ answer }),
    (error: unknown) => process.send!({ error: `${error}`.split("\n")[0]!.slice(0, 200) }),
  );
});
// Without the one that asks there is nobody to work for.
process.on("disconnect", () => process.exit(1));
process.send!({ answer: performance.now() });
