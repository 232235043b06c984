/**
 * Describes the event types of a program as a catalogue, which is plain JSON, and compares two catalogues: what can no
 * longer be read, what older processes cannot read, what is no longer protected.
 *
 * @module
 */
export {
  type CatalogOptions,
  type DescribedEvent,
  type EventCatalog,
  eventCatalog,
} from "./catalog.ts";
export type { JsonSchema } from "./describe.ts";
export { type CatalogChange, type CatalogComparison, compareCatalogs } from "./compare.ts";
