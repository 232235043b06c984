import type { Handle, Opened } from "./handles.ts";

/** A handle that many tests share. */
export interface Shared<Db> {
  /** Opens the handle for the first test that asks, and gives the same to all others. */
  open(): Promise<Opened<Db> & { readonly second: (() => Promise<Db>) | undefined }>;
  /** Closes it, if it was opened. */
  close(): Promise<void>;
}

/** Opens a handle once for many tests, as a database takes longer to make than a test to run. */
export function shared<Db>(handle: Handle<Db>): Shared<Db> {
  let opened: ReturnType<Shared<Db>["open"]> | undefined;
  const open = async () => {
    const first = await handle.open();
    const { another } = first;
    let other: Promise<Db> | undefined;
    return { ...first, second: another && (() => other ??= another()) };
  };
  return {
    open: () => opened ??= open(),
    close: async () => void await (await opened)?.close(),
  };
}
