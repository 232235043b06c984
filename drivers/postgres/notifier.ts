import type { Notifier } from "../../mod.ts";

/**
 * The least time between two notifications, in milliseconds: the next one covers all commits in between. Each is a
 * transaction with its own commit: with 5 they took 82 µs from each append of one caller.
 */
const pause = 20;
/** The pause before a lost connection is opened again, in milliseconds. */
const reconnectDelay = 1000;

/** The member of a client of postgres.js that the driver uses. */
interface ListeningClient {
  readonly listen: (
    channel: string,
    onNotify: () => void,
    onListen: () => void,
  ) => Promise<{ readonly unlisten: () => Promise<unknown> }>;
}

/** The members of a pool of node-postgres that the driver uses. */
interface Pool {
  readonly connect: () => Promise<PoolClient>;
  readonly totalCount: number;
  readonly options: { readonly max: number };
}

interface PoolClient {
  readonly query: (text: string) => Promise<unknown>;
  readonly on: (event: "notification" | "error" | "end", listener: () => void) => unknown;
  readonly release: (destroy: boolean) => void;
}

/**
 * Sends and receives empty notifications. They are sent after the commit, in a statement of their own: within an append
 * they would serialize all commits.
 *
 * @param client The client below a handle: one of postgres.js and a pool of node-postgres can listen, others only
 * notify.
 * @param notify Sends a notification.
 */
export function notifierOf(
  client: object,
  channel: string,
  notify: () => Promise<unknown>,
): Notifier {
  let [pending, sending] = [false, false];
  const send = async () => {
    sending = true;
    while (pending) {
      pending = false;
      await notify().catch(() => {});
      await sleep(pause);
    }
    sending = false;
  };
  /** How many listen on a connection that is up, and on which something has arrived. */
  let up = 0;
  const request = () => {
    pending = true;
    if (!sending) void send();
  };
  /** @param open Opens a connection; it counts once something has arrived on it, which a pooler may prevent. */
  const opened = (
    wake: () => void,
    open: (arrived: () => void, lost: () => void) => Promise<() => void>,
  ) =>
  async (lost: () => void) => {
    let [counted, ended] = [false, false];
    const down = () => {
      if (counted) up--;
      [counted, ended] = [false, true];
    };
    const arrived = () => {
      if (!counted && !ended) {
        up++;
        counted = true;
      }
      wake();
    };
    const close = await open(arrived, () => {
      down();
      wake(); // from now on they have to look by themselves
      lost();
    });
    request();
    return () => {
      down();
      close();
    };
  };
  return {
    get live() {
      return up > 0;
    },
    notify: request,
    listen(wake) {
      if (isPool(client)) {
        // Listening would take a pool's only connection from all other work.
        if (client.options.max === 1) return () => {};
        return repeat(
          opened(wake, (arrived, lost) => listenOnPool(client, channel, arrived, wake, lost)),
        );
      }
      if (isListening(client)) {
        return repeat(opened(wake, (arrived) => listen(client, channel, arrived, wake)));
      }
      return () => {};
    },
  };
}

/** Opens a connection, and again after it fails or is lost, until it is stopped. */
function repeat(open: (lost: () => void) => Promise<() => void>): () => void {
  let stopped = false;
  let close: (() => void) | undefined;
  const start = async () => {
    try {
      const closing = await open(() => {
        close = undefined;
        restart();
      });
      if (stopped) closing();
      else close = closing;
    } catch {
      restart();
    }
  };
  let timer: ReturnType<typeof setTimeout> | undefined;
  const restart = () => {
    if (!stopped) timer = setTimeout(() => void start(), reconnectDelay);
  };
  void start();
  return () => {
    stopped = true;
    clearTimeout(timer);
    close?.();
  };
}

/** Listens through postgres.js, which opens a connection for it, and another when that is lost. */
async function listen(
  client: ListeningClient,
  channel: string,
  arrived: () => void,
  wake: () => void,
): Promise<() => void> {
  const listening = await client.listen(channel, arrived, wake);
  return () => void listening.unlisten().catch(() => {});
}

/** Listens on a connection of the pool, which it holds until it stops. */
async function listenOnPool(
  pool: Pool,
  channel: string,
  arrived: () => void,
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
  client.on("notification", arrived);
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
