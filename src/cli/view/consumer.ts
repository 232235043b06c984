import type { ConsumerInfo } from "../../../mod.ts";
import type {
  ConsumerHealth,
  InspectedConsumer,
  InspectedDelivery,
  InspectedParking,
} from "../../inspect/mod.ts";
import { exit, Stop } from "../exit.ts";
import type { Output } from "../output.ts";
import { timeOf } from "../progress.ts";

/** Finds the consumers of a name. @throws {Stop} If there is none. */
export function consumersOf<Info extends ConsumerInfo>(
  known: readonly Info[],
  name: string,
  version?: number,
): readonly Info[] {
  const found = known.filter((info) =>
    info.name === name && (version === undefined || info.version === version)
  );
  if (found.length > 0) return found;
  const names = [...new Set(known.map(({ name }) => name))].join(", ");
  const others = names === "" ? "none has ever run" : `there are ${names}`;
  const label = version === undefined ? name : `${name} of version ${version}`;
  throw new Stop(exit.nothing, `There is no consumer ${label}: ${others}`);
}

/**
 * Finds the one consumer of a name.
 *
 * @throws {Stop} If there is none, or there are several versions or tenants of it.
 */
export function consumerOf<Info extends ConsumerInfo>(
  known: readonly Info[],
  name: string,
  version: number | undefined,
): Info {
  const [info, another] = consumersOf(known, name, version);
  if (another === undefined) return info!;
  throw new Stop(
    exit.usage,
    info!.version === another.version
      ? `Several tenants have a consumer ${name}: name one by --tenant`
      : `There are several versions of ${name}: name one by --version`,
  );
}

/** Returns the name of a consumer for people: with its version and tenant where it has them. */
export function consumerName(
  { name, version, tenantId }: Pick<ConsumerInfo, "name" | "version" | "tenantId">,
): string {
  const label = version === 1 ? name : `${name} v${version}`;
  return tenantId === undefined ? label : `${label} (tenant ${JSON.stringify(tenantId)})`;
}

/** Returns the name of the consumer of a parked stream or a delivery. */
export function nameOf(
  { consumer: name, version, consumerTenantId: tenantId }: InspectedParking | InspectedDelivery,
): string {
  return consumerName({ name, version, tenantId });
}

/** Returns how many positions a consumer is behind: 0 if no event that it wants waits. */
export function behind({ oldest, searchedTo, head, lag }: InspectedConsumer): number {
  return oldest === undefined && searchedTo >= head ? 0 : lag;
}

/** Writes consumers with how they are. */
export function writeConsumers(consumers: readonly InspectedConsumer[], out: Output): void {
  out.table(
    [
      "consumer",
      "health",
      { right: "position" },
      { right: "behind" },
      { right: "oldest" },
      { right: "retrying" },
      { right: "parked" },
    ],
    consumers.map((consumer) => [
      consumerName(consumer),
      paintHealth(consumer.health, out),
      String(consumer.position),
      String(behind(consumer)),
      consumer.oldest === undefined ? "" : timeOf(consumer.age),
      String(consumer.retrying),
      String(consumer.parked),
    ]),
  );
}

/** Returns the health of a consumer in its colour. */
export function paintHealth(health: ConsumerHealth, { paint }: Output): string {
  if (health === "up to date") return paint.green(health);
  if (health === "catching up") return health;
  return health === "behind" ? paint.yellow(health) : paint.red(health);
}
