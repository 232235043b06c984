import type { EventOf } from "event-sourcery";
import { defineEvent } from "event-sourcery";
import * as v from "valibot";

const commit = {
  hash: v.string(),
  parents: v.array(v.string()),
  /** The id of a contributor. */
  author: v.string(),
  subject: v.string(),
  /** The time of the author's clock; unlike it, the event's own time never goes backwards. */
  dated: v.date(),
};

/** In the stream of a repository: a commit was made. */
export const CommitMade = defineEvent("CommitMade", v.strictObject(commit));

/** In the stream of a repository: a commit merged several branches. */
export const BranchesMerged = defineEvent("BranchesMerged", v.strictObject(commit));

/** In the stream of a repository: a commit was tagged. */
export const VersionTagged = defineEvent(
  "VersionTagged",
  v.strictObject({ name: v.string(), hash: v.string() }),
);

/** In the stream of a contributor: the first commit with this address. */
export const ContributorJoined = defineEvent(
  "ContributorJoined",
  v.strictObject({ name: v.string(), email: v.string() }),
);

/** In the stream of a contributor: the same address with another name. */
export const ContributorRenamed = defineEvent(
  "ContributorRenamed",
  v.strictObject({ name: v.string() }),
);

/** In the stream of a contributor: one more commit or merge. */
export const Contributed = defineEvent(
  "Contributed",
  v.strictObject({ hash: v.string(), merge: v.boolean() }),
);

export const projectEvents = [CommitMade, BranchesMerged, VersionTagged] as const;
export const contributorEvents = [ContributorJoined, ContributorRenamed, Contributed] as const;
export const events = [...projectEvents, ...contributorEvents] as const;

export type ProjectEvent = EventOf<typeof projectEvents[number]>;
export type ContributorEvent = EventOf<typeof contributorEvents[number]>;
export type HistoryEvent = EventOf<typeof events[number]>;
