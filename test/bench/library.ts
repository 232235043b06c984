/** The data of the event that is stored everywhere. */
export interface Order {
  readonly sku: string;
  /** The number of the event in its stream, from 0: by it what is lost, doubled or out of order shows. */
  readonly count: number;
  /** Where latency is measured, when it was sent: in milliseconds since 1970. */
  readonly price: number;
  readonly note: string;
}

/** Makes one. */
export function order(count: number, price: number = 19.99): Order {
  return { sku: `sku-${count}`, count, price, note: "by the front door" };
}

/** What is measured: this library, a bare client, or another library. What it lacks it takes no part in. */
export interface Library {
  /** Makes the tables. */
  readonly migrate?: () => Promise<unknown>;
  /** Appends events in one call, numbered from `from`, to a stream that has so many; a queue adds jobs. */
  readonly append?: (stream: string, from: number, count: number) => Promise<unknown>;
  /** Makes events, and returns what appends the nth of them: so that the time of making them does not count. */
  readonly made?: (
    counts: readonly number[],
  ) => (stream: string, index: number) => Promise<unknown>;
  /** Loads a stream. */
  readonly load?: (stream: string) => Promise<readonly Order[]>;
  /** Loads a stream, decides, and adds the next event, against concurrent writers; tries again until it succeeds. */
  readonly command?: (stream: string) => Promise<unknown>;
  /** Hands over what a consumer has not yet been handed, until nothing is left. */
  readonly consume?: (handle: Handle, options: ConsumeOptions) => Promise<unknown>;
  /** Hands over what comes, until the signal aborts. */
  readonly follow?: (handle: Handle, signal: AbortSignal) => Promise<unknown>;
  /** Appends an event that `follow` hands over, with the time as its price. */
  readonly send?: (stream: string, data: Order) => Promise<unknown>;
  /** Reads everything again into an emptied table, one row a stream; resolves with the sum of its rows. */
  readonly rebuild?: () => Promise<number>;
  readonly close: () => Promise<unknown>;
}

/** Receives what a consumer is handed. */
export type Handle = (stream: string, data: Order) => void;

/** How a consumer reads. */
export interface ConsumeOptions {
  readonly name: string;
  /** How many events there are for all workers together. */
  readonly count: number;
  readonly workers: number;
}

/** A database to measure on. */
export interface Place {
  readonly kind: Kind;
  readonly url: string;
}

/** The kinds of databases. */
export type Kind = "given" | "embedded" | "file" | "sqld" | "memory";

/** Opens a library; imports no more than the kind of database asks for, since the time of a cold start counts. */
export type Open = (place: Place) => Promise<Library>;
