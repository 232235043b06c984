// How fast it is, beside what it is measured against in the same run: `npm run bench`, or some subjects alone, such as
// `npm run bench -- append load`; a number after them goes to the subjects that take one, such as `soak 3` (minutes) and
// `growth 5000000` (events). These are figures, not tests: a busy machine makes nothing fail.
import process from "node:process";
import { append } from "./append.ts";
import { commands } from "./commands.ts";
import { consumers } from "./consumers.ts";
import { growth } from "./growth.ts";
import { idle } from "./idle.ts";
import { latency } from "./latency.ts";
import { load } from "./load.ts";
import { memory } from "./memory.ts";
import { soak } from "./soak.ts";

const subjects: Readonly<Record<string, (size?: number) => Promise<void>>> = {
  memory,
  append,
  load,
  commands,
  growth,
  consumers,
  latency,
  idle,
  soak,
};

const words = process.argv.slice(2);
const size = words.map(Number).find((number) => number > 0);
const chosen = words.filter((word) => word in subjects);
// The soak takes its minutes: only when it is asked for.
for (const name of chosen.length > 0 ? chosen : Object.keys(subjects)) {
  if (name !== "soak" || chosen.includes(name)) await subjects[name]!(size);
}
process.exit(0);
