import { catalogWrite } from "./actions/catalog.ts";
import { discard } from "./actions/discard.ts";
import { forget } from "./actions/forget.ts";
import { importLog } from "./actions/import.ts";
import { migrate } from "./actions/migrate.ts";
import { rebuild } from "./actions/rebuild.ts";
import { redrive } from "./actions/redrive.ts";
import type { Command } from "./command.ts";
import { catalogCheck } from "./commands/catalog.ts";
import { completion } from "./commands/completion.ts";
import { consumers } from "./commands/consumers.ts";
import { event } from "./commands/event.ts";
import { exportLog } from "./commands/export.ts";
import { mcp } from "./commands/mcp.ts";
import { parked } from "./commands/parked.ts";
import { show } from "./commands/show.ts";
import { status } from "./commands/status.ts";
import { streams } from "./commands/streams.ts";
import { studio } from "./commands/studio.ts";
import { tail } from "./commands/tail.ts";
import { trace } from "./commands/trace.ts";
import { verify } from "./commands/verify.ts";

/** The commands by name, in the order of `--help`. */
export const commands: Readonly<Record<string, Command>> = {
  status,
  tail,
  streams,
  show,
  event,
  trace,
  consumers,
  parked,
  studio,
  redrive,
  discard,
  rebuild,
  "consumers forget": forget,
  verify,
  export: exportLog,
  import: importLog,
  "catalog write": catalogWrite,
  "catalog check": catalogCheck,
  migrate,
  mcp,
  completion,
};
