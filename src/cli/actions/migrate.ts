import { type Command, command } from "../command.ts";

/** Makes or upgrades the tables. */
export const migrate: Command = command({
  summary: "make the tables, or upgrade them",
  creates: true,
  async run({ out, open }) {
    const { driver, name } = await open();
    await driver.migrate();
    out.note(`${name}: the tables are up to date`);
  },
});
