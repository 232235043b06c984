/** What `verify` looks at, by name. */
export type Check =
  | "schema"
  | "table"
  | "column"
  | "index"
  | "sequence"
  | "checkpoint"
  | "parked"
  | "lease"
  | "transaction"
  | "clock"
  | "role"
  | "hole"
  | "order"
  | "category"
  | "slot"
  | "id"
  | "data"
  | "metadata"
  | "type"
  | "newer"
  | "sealed"
  | "tag"
  | "surplus"
  | "cause"
  | "correlation";

/** Something that is not as it should be, or that could not be looked at. */
export interface Finding {
  /** `error`: data is damaged, or will be. `warning`: something to look at. `skipped`: it was not checked. */
  readonly level: "error" | "warning" | "skipped";
  readonly check: Check;
  /** Where it is: an event, a stream, a consumer, a table. */
  readonly where: string;
  /** What it is; without data. */
  readonly message: string;
  /** What to do. */
  readonly advice: string;
}

/** Makes a finding. */
export function finding(
  level: Finding["level"],
  check: Check,
  where: string,
  message: string,
  advice: string,
): Finding {
  return { level, check, where, message, advice };
}

/** Names a stream; that of a tenant with the tenant. */
export function streamName({ tenantId, streamId }: {
  readonly tenantId: string;
  readonly streamId: string;
}): string {
  const name = `stream ${JSON.stringify(streamId)}`;
  return tenantId === "" ? name : `${name} of tenant ${JSON.stringify(tenantId)}`;
}
