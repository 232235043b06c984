import { type ChildProcess, fork } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { Place } from "./library.ts";
import type { tasks } from "./side.ts";

type Tasks = typeof tasks;

/** How long a side may take for one task, in milliseconds. */
const patience = 60_000;

/** A side: a process in which one library does what it is asked for. */
export class Child {
  readonly name: string;
  readonly #process: ChildProcess;
  #waiting:
    | { readonly resolve: (answer: never) => void; readonly reject: (error: Error) => void }
    | undefined;

  private constructor(name: string, { kind, url }: Place) {
    this.name = name;
    this.#process = fork(fileURLToPath(new URL("./side.js", import.meta.url)), [name, kind, url], {
      serialization: "advanced",
      stdio: ["ignore", "ignore", process.env["BENCH_DEBUG"] ? "inherit" : "ignore", "ipc"],
      // Act's logger would write a line for each request.
      env: { ...process.env, LOG_LEVEL: "fatal", NODE_ENV: "production" },
    });
    this.#process.on("message", (message: { readonly answer?: never; readonly error?: string }) => {
      if (message.error === undefined) this.#waiting?.resolve(message.answer!);
      else this.#waiting?.reject(new Error(message.error));
    });
    this.#process.on("exit", (code) => this.#waiting?.reject(new Error(`it ended with ${code}`)));
  }

  /** Starts a side on a place. */
  static async start(name: string, place: Place): Promise<Child> {
    const child = new Child(name, place);
    try {
      await child.#wait("start");
    } catch (error) {
      child.kill();
      throw error;
    }
    return child;
  }

  /** Asks for a task; one after the other. */
  async ask<Task extends keyof Tasks>(
    task: Task,
    ...args: Parameters<Tasks[Task]>
  ): Promise<Awaited<ReturnType<Tasks[Task]>>> {
    this.#process.send([task, ...args]);
    return await this.#wait<Awaited<ReturnType<Tasks[Task]>>>(task);
  }

  async close(): Promise<void> {
    try {
      await this.ask("close");
    } catch {
      // It ends in any case.
    }
    this.kill();
  }

  kill(): void {
    this.#process.kill("SIGKILL");
  }

  async #wait<Answer>(task: string): Promise<Answer> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        timer = setTimeout(
          () => reject(new Error(`${task} took longer than ${patience} ms`)),
          patience,
        );
      });
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }
}
