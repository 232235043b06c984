import { type ConsumerKey, type LogState, UnsupportedError } from "../../mod.ts";
import { flag, number } from "../_sql/row.ts";
import { list } from "../_sql/wire.ts";

/** The settled position, and whether this is a standby. */
interface SettledRow {
  readonly standby: string;
  readonly settled: string;
}

/** @throws {UnsupportedError} If this is a standby. */
export function settledOf({ standby, settled }: SettledRow): number {
  if (!flag(standby)) return number(settled);
  throw new UnsupportedError(
    "read the log",
    "this is a standby, which does not show running appends; use the primary",
  );
}

/** Reads what there is to do for consumers. */
export function stateOf({ due, ...row }: SettledRow & { readonly due: string | null }): LogState {
  return { settled: settledOf(row), due: list<ConsumerKey>(due) };
}
