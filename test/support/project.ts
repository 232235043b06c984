import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { must } from "./command.ts";
import { pack } from "./pack.ts";
import { root, runtime } from "./root.ts";

/** A stranger's project, in which the packed package is installed and nothing else. */
export interface Project {
  readonly folder: string;
  /** Puts packages beside it, as they are installed here. */
  link(...packages: readonly string[]): void;
  /** Removes the folder. */
  remove(): void;
}

/** Makes a project and installs the package with this runtime's own installer; a registry is out of its reach. */
export async function project(): Promise<Project> {
  const folder = mkdtempSync(join(tmpdir(), "event-sourcery-project-"));
  const modules = join(folder, "node_modules");
  const remove = () => rmSync(folder, { recursive: true, force: true });
  const link = (...packages: readonly string[]) => {
    for (const name of packages) {
      mkdirSync(dirname(join(modules, name)), { recursive: true });
      symlinkSync(join(root, "node_modules", name), join(modules, name), "junction");
    }
  };
  try {
    writeFileSync(join(folder, "package.json"), '{ "private": true, "type": "module" }\n');
    const packed = await pack();
    cpSync(packed.tarball, join(folder, "package.tgz"));
    packed.remove();
    const command = runtime === "bun" ? [process.execPath, "add"] : ["npm", "install"];
    await must([...command, "./package.tgz"], {
      cwd: folder,
      env: {
        npm_config_offline: "true",
        npm_config_cache: join(folder, ".cache"),
        npm_config_registry: "http://127.0.0.1:9", // Bun knows no offline mode: nothing answers there
        BUN_INSTALL_CACHE_DIR: join(folder, ".cache"),
      },
    });
    return { folder, link, remove };
  } catch (error) {
    remove();
    throw error;
  }
}
