import type { Notifier } from "../../mod.ts";

/** The least time between two rings, in milliseconds: what is committed meanwhile is told by the next. */
const pause = 5;
/** How long to wait before a lost connection is opened again, in milliseconds. */
const patience = 1000;

/** What a client of postgres.js can do. */
interface ListeningClient {
  readonly listen: (
    channel: string,
    heard: () => void,
    begun: () => void,
  ) => Promise<{ readonly unlisten: () => Promise<unknown> }>;
}

/** What a pool of node-postgres can do. */
interface Pool {
  readonly connect: () => Promise<PoolClient>;
  readonly totalCount: number;
  readonly options: { readonly max: number };
}

interface PoolClient {
  readonly query: (text: string) => Promise<unknown>;
  readonly on: (event: "notification" | "error" | "end", heard: () => void) => unknown;
  readonly release: (destroy: boolean) => void;
}

/**
 * Rings and listens by empty notifications. They are sent after the commit, in a statement of their own: within an append
 * they would make all commits wait for each other.
 *
 * @param client The client below a handle: one of postgres.js and a pool of node-postgres can listen, others only ring.
 * @param notify Sends a notification.
 */
export function notifierOf(
  client: object,
  channel: string,
  notify: () => Promise<unknown>,
): Notifier {
  let [wanted, ringing] = [false, false];
  const ring = async () => {
    ringing = true;
    while (wanted) {
      wanted = false;
      await notify().catch(() => {});
      await sleep(pause);
    }
    ringing = false;
  };
  return {
    notify() {
      wanted = true;
      if (!ringing) void ring();
    },
    listen(wake) {
      if (isPool(client)) {
        // The only connection of a pool would be gone for everything else.
        if (client.options.max === 1) return () => {};
        return repeat((lost) => listenOnPool(client, channel, wake, lost));
      }
      if (isListening(client)) return repeat(() => listen(client, channel, wake));
      return () => {};
    },
  };
}

/** Opens something, and again when it fails or is lost, until it is told to stop. */
function repeat(open: (lost: () => void) => Promise<() => void>): () => void {
  let stopped = false;
  let close: (() => void) | undefined;
  const begin = async () => {
    try {
      const closing = await open(() => {
        close = undefined;
        again();
      });
      if (stopped) closing();
      else close = closing;
    } catch {
      again();
    }
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const again = () => {
    if (!stopped) timer = setTimeout(() => void begin(), patience);
  };
  void begin();
  return () => {
    stopped = true;
    clearTimeout(timer);
    close?.();
  };
}

/** The client opens a connection of its own for it, and another when that is lost. */
async function listen(
  client: ListeningClient,
  channel: string,
  wake: () => void,
): Promise<() => void> {
  const listening = await client.listen(channel, wake, wake);
  return () => void listening.unlisten().catch(() => {});
}

/** Takes a connection out of the pool for as long as it listens. */
async function listenOnPool(
  pool: Pool,
  channel: string,
  wake: () => void,
  lost: () => void,
): Promise<() => void> {
  const client = await pool.connect();
  let open = true;
  const close = () => {
    if (open) client.release(true);
    open = false;
  };
  const end = () => {
    if (!open) return;
    close();
    lost();
  };
  client.on("notification", wake);
  client.on("error", end);
  client.on("end", end);
  try {
    await client.query(`listen "${channel}"`);
  } catch (error) {
    close();
    throw error;
  }
  wake();
  return close;
}

function isPool(client: object): client is Pool {
  return "connect" in client && typeof client.connect === "function" &&
    "totalCount" in client && typeof client.totalCount === "number";
}

function isListening(client: object): client is ListeningClient {
  return "listen" in client && typeof client.listen === "function" && "reserve" in client;
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
