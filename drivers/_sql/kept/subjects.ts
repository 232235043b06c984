import type { Forgotten, StoredSubject, Subjects } from "../../../mod.ts";
import type { Statement, SubjectStatements } from "../statement.ts";
import { flag } from "../row.ts";
import { list } from "../wire.ts";
import type { Run } from "./run.ts";

/** The keys of subjects, of a session. */
export class SqlSubjects implements Subjects {
  readonly #statements: SubjectStatements;
  readonly #run: Run;
  /** How long a write waits for another transaction, in milliseconds; null for as long as the transaction around it does. */
  readonly #patience: string | null;

  constructor(statements: SubjectStatements, run: Run, patience: string | null) {
    this.#statements = statements;
    this.#run = run;
    this.#patience = patience;
  }

  async read(tenantId: string, subjects: readonly string[]): Promise<readonly StoredSubject[]> {
    return await this.#rows(this.#statements.read, { tenantId, subjects });
  }

  async find(ids: readonly string[]): Promise<readonly StoredSubject[]> {
    return await this.#rows(this.#statements.find, { ids });
  }

  async list(after: string | undefined, limit: number): Promise<readonly StoredSubject[]> {
    return await this.#rows(this.#statements.list, { after: after ?? "", limit });
  }

  async forgotten(tenantId: string, subject: string): Promise<string | undefined> {
    const parameters = [JSON.stringify({ tenantId, subject })];
    const read = ({ at }: { readonly at: string | null }) => at ?? undefined;
    const { forgotten } = this.#statements;
    return await this.#run.read("look up a forgotten subject", forgotten, parameters, read);
  }

  async make(
    tenantId: string,
    rows: readonly StoredSubject[],
  ): Promise<readonly StoredSubject[]> {
    const value = { tenantId, rows, patience: this.#patience };
    return await this.#write("make keys of subjects", [this.#statements.make], value);
  }

  async forget(tenantId: string, subject: string, id: string, at: string): Promise<Forgotten> {
    const value = { tenantId, subject, id, at, patience: this.#patience };
    const action = "forget a subject";
    const [found] = await this.#write<{ at: string; destroyed: string }>(
      action,
      this.#statements.forget,
      value,
    );
    return found === undefined
      ? { at, destroyed: false }
      : { at: found.at, destroyed: flag(found.destroyed) };
  }

  async replace(id: string, before: string, keys: string): Promise<boolean> {
    const { replace } = this.#statements;
    return (await this.#write("wrap a key anew", [replace], { id, before, keys })).length > 0;
  }

  async #rows(statement: Statement, value: object): Promise<readonly StoredSubject[]> {
    const read = ({ rows }: { readonly rows: string | null }) => list<StoredSubject>(rows);
    const parameters = [JSON.stringify(value)];
    return await this.#run.read("look up keys of subjects", statement, parameters, read);
  }

  async #write<Row>(
    action: string,
    statements: readonly Statement[],
    value: object,
  ): Promise<readonly Row[]> {
    return await this.#run.write<Row>(action, statements, [JSON.stringify(value)]);
  }
}
