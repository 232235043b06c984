import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chownSync, mkdirSync, mkdtempSync, readFileSync, statSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** A database server that lives no longer than the process that started it. */
export interface Server {
  readonly url: string;
  stop(): Promise<void>;
}

/** An account that is not root, which Postgres refuses to run as. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

// The guard waits for the end of its stdin, which comes when the parent ends, in whatever way it
// ends. So no server and no folder outlives a test run, not even one that was killed.
const guard = `
trap : INT TERM HUP
"$@" >"$SERVER_FOLDER/log" 2>&1 </dev/null &
server=$!
read -r _
kill -s "$SERVER_SIGNAL" $server 2>/dev/null
wait $server
rm -rf "$SERVER_FOLDER"
`;

/** Starts a server behind a guard and waits until its port answers. */
export async function launch(
  { command, folder, port, signal, account, timeout = 30_000 }: {
    command: readonly string[];
    folder: string;
    port: number;
    signal: "QUIT" | "KILL";
    account?: Account | undefined;
    timeout?: number;
  },
): Promise<() => Promise<void>> {
  const [program, ...args] = [...as(account), "sh", "-c", guard, "sh", ...command];
  const child = spawn(program!, args, {
    env: { ...process.env, SERVER_FOLDER: folder, SERVER_SIGNAL: signal },
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
  release(child);
  const stop = async () => {
    child.ref();
    child.stdin!.end();
    await ended;
  };
  const deadline = Date.now() + timeout;
  while (!await answers(port)) {
    if (Date.now() > deadline) {
      const log = readFileSync(join(folder, "log"), "utf8").slice(-2000);
      await stop();
      throw new Error(`Cannot reach ${command[0]} on port ${port}: ${log}`);
    }
    await delay(20);
  }
  return stop;
}

/** The command prefix that runs a program as `account`; empty where that is not asked for. */
export function as(account: Account | undefined): string[] {
  if (account === undefined) return [];
  return ["setpriv", `--reuid=${account.uid}`, `--regid=${account.gid}`, "--clear-groups", "--"];
}

/** The account for programs that refuse root; `undefined` where this process is not root. */
export function account(): Account | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Makes an empty temporary folder that `owner` can use. */
export function scratch(name: string, owner?: Account): string {
  const parent = [tmpdir(), "/tmp", "/var/tmp"].find((path) => !owner || traversable(path));
  if (parent === undefined) throw new Error("Cannot find a temporary folder open to all users");
  const folder = mkdtempSync(join(parent, `event-sourcery-${name}-`));
  mkdirSync(join(folder, "data"));
  if (owner) {
    for (const path of [folder, join(folder, "data")]) chownSync(path, owner.uid, owner.gid);
  }
  return folder;
}

/** Whether every user may walk to `path`. */
export function traversable(path: string): boolean {
  const open = (statSync(path).mode & 0o001) !== 0;
  return open && (dirname(path) === path || traversable(dirname(path)));
}

/** Finds a free port on the loopback interface. */
export function free(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().on("error", reject).listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** Whether there is a server at a port. */
export function answers(port: number, host: string = "127.0.0.1"): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, host);
    socket.on("connect", () => (socket.destroy(), resolve(true)));
    socket.on("error", () => resolve(false));
  });
}

// A test file must be able to end while its server still runs.
function release(child: ChildProcess): void {
  child.unref();
  const stdin: unknown = child.stdin;
  if (typeof stdin === "object" && stdin && "unref" in stdin && typeof stdin.unref === "function") {
    stdin.unref();
  }
}
