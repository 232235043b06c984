import type { InspectedConsumer } from "../../inspect/consumers.ts";
import { type Html, markup } from "../frame/html.ts";
import type { Query, View } from "./view.ts";

/** What tells consumers apart. */
export type ConsumerId = Pick<InspectedConsumer, "name" | "version" | "tenantId">;

/** The consumer that a URL or a form names; undefined if it names none. */
export function namedConsumer(
  { param, number }: Pick<View, "param" | "number">,
): ConsumerId | undefined {
  const name = param("name");
  return name === undefined
    ? undefined
    : { name, version: number("version") ?? 1, tenantId: param("of") };
}

/** Finds the registered consumer that a URL names. */
export async function findConsumer(view: View): Promise<InspectedConsumer | undefined> {
  const wanted = namedConsumer(view);
  if (wanted === undefined) return undefined;
  return (await view.registry.consumers()).find((each) => isSame(each, wanted));
}

/** Whether both are the same consumer. */
export function isSame(a: ConsumerId, b: ConsumerId): boolean {
  return a.name === b.name && a.version === b.version && a.tenantId === b.tenantId;
}

/** Returns the consumer of a parked stream or a delivery. */
export function consumerOf(
  { consumer, version, consumerTenantId }: {
    readonly consumer: string;
    readonly version: number;
    readonly consumerTenantId?: string | undefined;
  },
): ConsumerId {
  return { name: consumer, version, tenantId: consumerTenantId };
}

/** Names a consumer in a query. */
export function consumerQuery({ name, version, tenantId }: ConsumerId): Query {
  return { name, version: version === 1 ? undefined : version, of: tenantId };
}

/** Names a consumer in a form. */
export function consumerFields(consumer: ConsumerId): Html {
  return fields(consumerQuery(consumer));
}

/** Hidden fields of a form. */
export function fields(query: Query): Html {
  return markup`${
    Object.entries(query).map(([name, value]) =>
      value !== undefined && markup`<input type="hidden" name="${name}" value="${value}">`
    )
  }`;
}
