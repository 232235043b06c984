import type { InspectedParking } from "../../inspect/parked.ts";
import { attempt } from "./attempt.ts";
import type { View } from "./view.ts";

/** Finds the consumers for which a stream is parked. */
export async function parkedOf(
  { registry }: View,
  streamId: string,
  tenantId: string,
): Promise<readonly InspectedParking[]> {
  const result = await attempt(registry.parked({ stream: { tenantId, streamId }, limit: 1000 }));
  return result?.streams ?? [];
}

/** Parked streams of one consumer that wait for the same reason. */
export interface ParkedGroup {
  readonly consumer: string;
  readonly version: number;
  readonly consumerTenantId: string | undefined;
  /** What their failures have in common; undefined if none has failed since an event was given up. */
  readonly group: string | undefined;
  /** The error of the first of them. */
  readonly error: string | undefined;
  /** Whether they are tried again by themselves. */
  readonly retrying: boolean;
  readonly streams: readonly InspectedParking[];
}

/** Puts parked streams together that have consumer and cause in common, those first that need a person. */
export function grouped(streams: readonly InspectedParking[]): readonly ParkedGroup[] {
  const groups = new Map<string, ParkedGroup & { readonly streams: InspectedParking[] }>();
  for (const parking of streams) {
    const { consumer, version, consumerTenantId, group, error } = parking;
    const retrying = parking.dueAt !== undefined;
    const key = JSON.stringify([consumer, version, consumerTenantId, group ?? error, retrying]);
    const alike = groups.get(key);
    if (alike === undefined) {
      const shared = { consumer, version, consumerTenantId, group, error, retrying };
      groups.set(key, { ...shared, streams: [parking] });
    } else alike.streams.push(parking);
  }
  return [...groups.values()].toSorted((a, b) =>
    Number(a.retrying) - Number(b.retrying) || b.streams.length - a.streams.length
  );
}
