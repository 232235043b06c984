import type { Consumer, Projection } from "../../mod.ts";
import { problemOf } from "../inspect/event.ts";
import type { Rebuild } from "./view/view.ts";

/** The rebuilds that were begun in this process. */
export class Rebuilds {
  readonly #known: Map<Consumer, Rebuild> = new Map();

  /** The last rebuild of a consumer. */
  of(consumer: Consumer): Rebuild | undefined {
    return this.#known.get(consumer);
  }

  /** Whether a consumer is being rebuilt. */
  isRunning(consumer: Consumer): boolean {
    const rebuild = this.#known.get(consumer);
    return rebuild !== undefined && rebuild.endedAt === undefined;
  }

  /** Begins to rebuild a projection; what becomes of it is told by `of`. */
  begin(projection: Projection): void {
    const startedAt = new Date();
    const end = (problem: string | undefined) =>
      void this.#known.set(projection, { startedAt, endedAt: new Date(), problem });
    this.#known.set(projection, { startedAt, endedAt: undefined, problem: undefined });
    projection.rebuild().then(() => end(undefined), (error) => end(problemOf(error).message));
  }
}
