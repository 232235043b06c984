import { type Command, command } from "../command.ts";
import { exit, Stop } from "../exit.ts";

/** Makes or upgrades the tables. */
export const migrate: Command = command({
  summary: "make the tables, or upgrade them",
  details: "Safe to run again, and by several at the same time. Run it before the new code.",
  creates: true,
  options: {
    "dry-run": { kind: "flag", summary: "only say what would be done" },
    print: { kind: "flag", summary: "only write the SQL, for somebody else to run" },
    check: { kind: "flag", summary: "only check: end with 5 if there is something to do" },
  },
  async run({ options, out, open }) {
    const { driver, name } = await open();
    const { "dry-run": dry, print, check } = options;
    const only = dry || print || check;
    if (only && driver.schema === undefined) {
      throw new Stop(exit.failed, `${name} cannot tell what is to be done`);
    }
    const schema = await driver.schema?.();
    const todo = schema?.statements ?? [];
    const versions = { from: schema?.version, to: schema?.latest };
    if (print) {
      for (const statement of todo) await out.line(`${statement};`);
    } else if (only) {
      if (out.json) await out.value({ ...versions, pending: todo.length > 0 });
      else if (todo.length > 0) {
        const from = versions.from === undefined ? "none" : `version ${versions.from}`;
        await out.line(
          `${name}: tables from ${from} to version ${versions.to}, ${todo.length} statements`,
        );
      }
    } else {
      await driver.migrate();
      if (out.json) await out.value({ ...versions, pending: false });
    }
    if (todo.length === 0) out.note(`${name}: nothing to do`);
    else if (!only) out.note(`${name}: the tables are of version ${versions.to}`);
    return check && todo.length > 0 ? exit.pending : exit.done;
  },
});
