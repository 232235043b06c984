import type { Recorded } from "../event/event.ts";

/** Encodes a name so that it holds nothing but letters, digits, `_`, `-`, `:` and `%`: as one token of a NATS subject. */
export function token(name: string): string {
  return encodeURIComponent(name).replaceAll("%3A", ":").replace(
    /[.!~*'()]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Returns the source of an event, which is unique with its id: ids are unique in a tenant only. */
export function sourceOf(source: string, { tenantId }: Pick<Recorded, "tenantId">): string {
  return tenantId === "" ? source : `${source}#${token(tenantId)}`;
}

/** Returns the key of an event's stream: messages of one key stay in order. */
export function partitionKey(
  { tenantId, streamId }: Pick<Recorded, "tenantId" | "streamId">,
): string {
  return tenantId === "" ? streamId : `${token(tenantId)}/${streamId}`;
}

/** Returns the id of an event's message, by which receivers detect duplicates: its own id, after its tenant if it has one. */
export function messageId(
  { id, tenantId }: { readonly id: string; readonly tenantId: string },
): string {
  return tenantId === "" ? token(id) : `${token(tenantId)}/${token(id)}`;
}
