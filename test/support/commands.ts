import { commands } from "../../src/cli/table.ts";
import { type } from "./terminal.ts";

/** The page of the guide that lists the commands: what `--help` says of each. */
export async function commandsPage(): Promise<string> {
  const sections: string[] = [];
  let common = "";
  for (const name of Object.keys(commands)) {
    const { stdout } = await type([...name.split(" "), "--help"]);
    const [own, rest] = stdout.split("\nOptions of every command:\n");
    const [first, , ...lines] = own!.trimEnd().split("\n");
    const [said, ...tables] = lines.join("\n").split(/\n\n(?=Arguments:|Options:)/);
    const more = tables.length === 0 ? "" : `\n\n${tables.join("\n\n")}`;
    sections.push(`## ${name}\n\n${said}\n\n\`\`\`text\n${first}${more}\n\`\`\`\n`);
    common = `Options of every command:\n${rest!.trimEnd()}`;
  }
  return `${head}\n\`\`\`text\n${common}\n\`\`\`\n\n${sections.join("\n")}`;
}

const head = `# Commands

What [\`event-sourcery\`](cli.md) can do. A test writes this page from the commands' own help.
`;
