import { isEventSourceryError } from "../../../mod.ts";

/** Waits for what a driver may not support; undefined where it does not. */
export async function attempt<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isEventSourceryError(error, "UNSUPPORTED")) return undefined;
    throw error;
  }
}
