/** A statement, and the name that it is prepared under; without a name it is not. */
export interface Statement {
  readonly name: string | undefined;
  readonly text: string;
}

/** The statements that both engines have, with the same parameters in the same order, all of them text. */
export interface Statements {
  /** tenant, JSON array of stream ids, JSON array of event ids → one `Refusal`. */
  readonly explain: Statement;
  /** tenant, stream, from, to, limit → one `PageColumns`. */
  readonly load: Statement;
  /** As `load`, the newest first. */
  readonly loadBackwards: Statement;
  /** tenant, category or null, after or null, limit → one `StreamColumns`. */
  readonly streams: Statement;
  /** after, until, limit, tenant, JSON arrays of categories, types and tags, null without a filter → `PageColumns`. */
  readonly scan: (filters: ScanFilters) => Statement;
}

/** Which filters a scan has. */
export interface ScanFilters {
  readonly tenant: boolean;
  readonly categories: boolean;
  readonly types: boolean;
  readonly tags: boolean;
}

/** A parameter of a statement. */
export type Parameter = string | null;
