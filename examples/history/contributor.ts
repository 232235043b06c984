import { Aggregate } from "event-sourcery";
import type { Commit } from "./commit.ts";
import {
  Contributed,
  type ContributorEvent,
  ContributorJoined,
  ContributorRenamed,
} from "./events.ts";
import { createHash } from "node:crypto";

/** An author of commits, identified by an email address. */
export class Contributor extends Aggregate<ContributorEvent> {
  static readonly category = "contributor";
  name = "";
  commits = 0;
  merges = 0;

  protected apply(event: ContributorEvent): void {
    switch (event.type) {
      case "ContributorJoined":
      case "ContributorRenamed":
        this.name = event.data.name;
        break;
      case "Contributed":
        if (event.data.merge) this.merges++;
        else this.commits++;
        break;
      default:
        event satisfies never;
    }
  }

  /** Records a commit, and the name of its author. */
  contribute({ hash, parents, name, email }: Commit, createdAt: Date): void {
    if (this.commits + this.merges === 0) {
      this.emit(ContributorJoined({ name, email }, { createdAt }));
    } else if (name !== this.name) this.emit(ContributorRenamed({ name }, { createdAt }));
    this.emit(Contributed({ hash, merge: parents.length > 1 }, { createdAt }));
  }
}

/** Returns the id of a commit's author. Git accepts any text as a name or an address, even empty or very long. */
export function contributorOf({ name, email }: Commit): string {
  const id = (email.trim() || name.trim()).toLowerCase() || "unknown";
  return id.length <= 100 ? id : createHash("sha256").update(id).digest("hex");
}
