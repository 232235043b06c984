import type { HandledMessages, MessageKey } from "../../mod.ts";
import type { Overlay } from "./overlay.ts";

/** A message that was handled. */
export interface Mark extends MessageKey {
  /** In milliseconds since 1970. */
  readonly handledAt: number;
}

/** How a session reaches its marks. */
interface Access {
  readonly write: <R>(work: (marks: Overlay<Mark>) => R) => Promise<R>;
}

/** The handled messages of a session. A transaction waits for the one before it, so nothing else does. */
export class MemoryInbox implements HandledMessages {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async mark(message: MessageKey): Promise<boolean> {
    const { tenantId, name, messageId } = message;
    const key = `${tenantId}\0${name}\0${messageId}`;
    return await this.#access.write((marks) => {
      if (marks.get(key) !== undefined) return false;
      marks.set(key, { tenantId, name, messageId, handledAt: Date.now() });
      return true;
    });
  }

  async clean(name: string, age: number, limit: number): Promise<void> {
    await this.#access.write((marks) => {
      const before = Date.now() - age;
      const old = [...marks.entries()]
        .filter(([, mark]) => mark.name === name && mark.handledAt < before)
        .sort(([, a], [, b]) => a.handledAt - b.handledAt);
      for (const [key] of old.slice(0, limit)) marks.remove(key);
    });
  }
}
