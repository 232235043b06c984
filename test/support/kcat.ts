import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createInterface } from "node:readline";

/** Whether kcat is installed: Kafka's command line, with a cluster of its own for tests. */
export const hasKcat: boolean = spawnSync("kcat", ["-V"]).status === 0;

/** A Kafka cluster of one broker in a process of kcat; it keeps its messages as long as that lives. */
export interface Kafka {
  readonly url: string;
  stop(): void;
}

/** Starts a cluster. It ends with its standard input, so it does not outlive this process. */
export async function startKafka(): Promise<Kafka> {
  const args = ["-P", "-b", "unused", "-t", "unused", "-X", "test.mock.num.brokers=1"];
  const cluster = spawn("kcat", args, { stdio: ["pipe", "ignore", "pipe"] });
  for await (const line of createInterface({ input: cluster.stderr })) {
    const [address] = /127\.0\.0\.1:\d+/.exec(line) ?? [];
    if (address !== undefined) return { url: `tcp://${address}`, stop: () => end(cluster) };
  }
  throw new Error("kcat has started no cluster");
}

/** A message as kcat prints it. */
export interface Consumed {
  readonly key: string;
  readonly payload: string;
  readonly partition: number;
  readonly headers?: readonly string[];
}

/** Hands over the messages of a topic, from its beginning. */
export function consume(
  kafka: Kafka,
  topic: string,
  take: (message: Consumed) => void,
): () => void {
  const { host } = new URL(kafka.url);
  const args = ["-C", "-q", "-u", "-J", "-b", host, "-t", topic, "-o", "beginning"];
  const consumer = spawn("kcat", args, { stdio: ["ignore", "pipe", "ignore"] });
  createInterface({ input: consumer.stdout }).on("line", (line) => take(JSON.parse(line)));
  return () => end(consumer);
}

function end(child: ChildProcess): void {
  child.stdin?.end();
  child.kill();
}
