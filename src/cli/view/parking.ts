import type { Checkpoints, ConsumerInfo, ConsumerKey, StoredParking } from "../../../mod.ts";
import { keyOf } from "../../consumer/list.ts";
import { exit, Stop } from "../exit.ts";
import type { Opened } from "../open.ts";

/** The stored progress of consumers, and the key of one. */
interface Parking {
  readonly checkpoints: Checkpoints;
  readonly key: ConsumerKey;
}

/** Returns where the parked streams of a consumer are kept. @throws {Stop} If the driver keeps none. */
export function parkingOf(
  { driver: { checkpoints } }: Opened,
  consumer: ConsumerInfo,
): Parking {
  if (checkpoints === undefined) throw new Stop(exit.failed, "This driver has no consumers");
  return { checkpoints, key: keyOf(consumer) };
}

/**
 * Finds a parked stream among those of a consumer.
 *
 * @throws {Stop} If it is not parked, or several tenants have one of this id parked.
 */
export function parkedStream(
  parked: readonly StoredParking[],
  streamId: string,
  tenantId: string | undefined,
): StoredParking {
  const [found, another] = parked.filter((stream) =>
    stream.streamId === streamId && (tenantId === undefined || stream.tenantId === tenantId)
  );
  if (found === undefined) throw new Stop(exit.nothing, `The stream ${streamId} is not parked`);
  if (another === undefined) return found;
  throw new Stop(
    exit.usage,
    `Several tenants have a stream ${streamId} parked: name one by --tenant`,
  );
}
