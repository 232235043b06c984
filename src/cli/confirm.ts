import type { Tools } from "./command.ts";
import { exit, Stop } from "./exit.ts";

/**
 * Has a person confirm what cannot be undone, by typing a word.
 *
 * @param yes Whether the command line says so already.
 * @throws {Stop} If they type something else, or there is nobody to ask.
 */
export async function confirm(
  { ask, signal }: Tools,
  yes: boolean,
  question: string,
  word: string,
): Promise<void> {
  if (yes) return;
  const answer = await ask(`${question} Type ${word} to go on: `);
  signal.throwIfAborted();
  if (answer === undefined) {
    throw new Stop(exit.usage, "There is no terminal to ask in: use --yes to go on without asking");
  }
  if (answer.trim() !== word) throw new Stop(exit.failed, "Nothing was changed");
}
