import type { Tool } from "../tool.ts";
import { consumers, parked } from "./consumers.ts";
import { event, readLog, readStream } from "./log.ts";
import { overview } from "./overview.ts";
import { state } from "./state.ts";
import { streams } from "./streams.ts";
import { trace } from "./trace.ts";
import { eventTypes } from "./types.ts";

/** The tools by name. None of them changes anything. */
export const tools: ReadonlyMap<string, Tool> = new Map(
  [
    ...[overview, eventTypes, streams, readStream, readLog],
    ...[event, trace, state, consumers, parked],
  ].map((tool) => [tool.name, tool]),
);
