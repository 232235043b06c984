import type { HandledMessages } from "event-sourcery";
import type { Sabotage } from "./sabotage.ts";

/** Ways to break one promise of a driver's inbox each; by what a driver does then. */
export const drops: Readonly<Record<string, Sabotage>> = {
  "marks no message": marking(() => ({ mark: async () => true })),
  "shares messages among tenants": marking((own) => ({
    mark: (message) => own.mark({ ...message, tenantId: "" }),
  })),
  "shares messages among inboxes": marking((own) => ({
    mark: (message) => own.mark({ ...message, name: "all" }),
  })),
  "takes the ids of messages for others": marking((own) => ({
    mark: (message) => own.mark({ ...message, messageId: message.messageId.toLowerCase() }),
  })),
  "forgets messages that are not old": marking((own) => ({
    clean: (name, _, limit) => own.clean(name, 1, limit),
  })),
  "forgets messages without a limit": marking((own) => ({
    clean: (name, age) => own.clean(name, age, 1000),
  })),
  "forgets no message": marking(() => ({ clean: async () => {} })),
  "forgets the messages of other inboxes": marking((own) => ({
    async clean(name, age, limit) {
      await own.clean(name, age, limit);
      await own.clean("other", age, limit);
    },
  })),
};

function marking(change: (own: HandledMessages) => Partial<HandledMessages>): Sabotage {
  return ({ inbox }) => {
    const own = inbox!;
    return {
      inbox: {
        mark: (message) => own.mark(message),
        clean: (name, age, limit) => own.clean(name, age, limit),
        ...change(own),
      },
    };
  };
}
