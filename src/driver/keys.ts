/**
 * Identifies a consumer in a database.
 *
 * @category Drivers
 */
export interface ConsumerKey {
  /** `all`, or `tenant:` followed by the tenant whose events it handles. */
  readonly scope: string;
  /** Its name; with the version, unique within the scope. */
  readonly name: string;
  /** Its version: each has checkpoints of its own. */
  readonly version: number;
}

/**
 * Identifies one lane of a consumer.
 *
 * @category Drivers
 */
export interface LaneKey extends ConsumerKey {
  /** The lane's number, from 0. */
  readonly lane: number;
}

/**
 * Identifies a stream across tenants.
 *
 * @category Drivers
 */
export interface StreamKey {
  /** The stream's tenant; `""` without tenants. */
  readonly tenantId: string;
  /** The stream's id. */
  readonly streamId: string;
}

/**
 * The streams of a lane: those whose slot modulo the number of lanes is the lane's number.
 *
 * @category Drivers
 */
export interface LaneFilter {
  /** The lane's number, from 0. */
  readonly lane: number;
  /** The number of lanes. */
  readonly lanes: number;
}
