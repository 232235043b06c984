import {
  BusyError,
  type HandledMessages,
  isEventSourceryError,
  type MessageKey,
} from "../../../mod.ts";
import type { Shared } from "../connection.ts";
import type { InboxStatements } from "../statement.ts";
import type { Run } from "./run.ts";

/** The handled messages of a session. */
export class SqlInbox implements HandledMessages {
  readonly #statements: InboxStatements;
  readonly #run: Run;
  readonly #shared: Pick<Shared, "busyTimeout" | "classify">;

  constructor(
    statements: InboxStatements,
    run: Run,
    shared: Pick<Shared, "busyTimeout" | "classify">,
  ) {
    this.#statements = statements;
    this.#run = run;
    this.#shared = shared;
  }

  async mark({ tenantId, name, messageId }: MessageKey): Promise<boolean> {
    const { busyTimeout, classify } = this.#shared;
    const parameters = [tenantId, name, messageId, String(busyTimeout)];
    try {
      return (await this.#run.write("mark a message", [this.#statements.mark], parameters))
        .length > 0;
    } catch (error) {
      // What has aborted the transaction is that another one holds the message.
      const aborted = isEventSourceryError(error, "TRANSACTION_ABORTED");
      if (!aborted || classify(error.cause).failure !== "busy") throw error;
      throw new BusyError(busyTimeout, { cause: error.cause });
    }
  }

  async clean(name: string, age: number, limit: number): Promise<void> {
    await this.#run.write("clean an inbox", [this.#statements.clean], [
      ...[name, String(age), String(limit)],
    ]);
  }
}
