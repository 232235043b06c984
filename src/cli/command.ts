import type { ExitCode } from "./exit.ts";
import type { Opened } from "./open.ts";
import type { Output } from "./output.ts";

/** What follows a command's name. */
export interface Argument {
  /** Whether it must be given, may be, or may be several times. */
  readonly kind: "one" | "optional" | "many";
  /** What it is, for `--help`. */
  readonly summary: string;
  /** What completion offers for it. @default its choices */
  readonly completes?: "streams" | "consumers" | undefined;
  /** The only values that it takes. @default any */
  readonly choices?: readonly string[] | undefined;
}

/** An option of a command, such as `--limit 10`. */
export interface Option {
  /**
   * What it takes: nothing, a text, several texts (each with the option's name before it), a whole number, a UTC instant, or
   * a time such as `5m`, in milliseconds.
   */
  readonly kind: "flag" | "text" | "list" | "number" | "date" | "duration";
  /** What it does, for `--help`. */
  readonly summary: string;
  /** What stands for its value in `--help`. @default by its kind */
  readonly value?: string | undefined;
  /** A letter for it. @default none */
  readonly short?: string | undefined;
  /** The only values that it takes. @default any */
  readonly choices?: readonly string[] | undefined;
}

/** The arguments of a command, in their order, by name. */
export type Arguments = Readonly<Record<string, Argument>>;

/** The options of a command, by name. */
export type Options = Readonly<Record<string, Option>>;

/** What was given for arguments. */
type ArgumentValues<A extends Arguments> = {
  readonly [Name in keyof A]: {
    one: string;
    optional: string | undefined;
    many: readonly string[];
  }[A[Name]["kind"]];
};

/** What was given for options: undefined where one was left out, false for a flag, an empty list for a list. */
type OptionValues<O extends Options> = {
  readonly [Name in keyof O]: {
    flag: boolean;
    text: string | undefined;
    list: readonly string[];
    number: number | undefined;
    date: Date | undefined;
    duration: number | undefined;
  }[O[Name]["kind"]];
};

/** What every command works with. */
export interface Tools {
  /** Where it writes. */
  readonly out: Output;
  /** Aborts when the user interrupts it. */
  readonly signal: AbortSignal;
  /** Opens the store on the first call, and returns the same afterwards; it is closed when the command ends. */
  readonly open: () => Promise<Opened>;
  /** Asks the user a question; undefined where nobody can answer, since the input is no terminal. */
  readonly ask: (question: string) => Promise<string | undefined>;
  /** Reads standard input, line by line, until it ends or the user interrupts it. */
  readonly input: () => AsyncIterable<string>;
}

/** What a command is run with. */
interface Context<A extends Arguments, O extends Options> extends Tools {
  /** Its arguments. */
  readonly args: ArgumentValues<A>;
  /** Its options. */
  readonly options: OptionValues<O>;
}

/** What a command is. */
interface Description {
  /** What it does, in a line. */
  readonly summary: string;
  /** What else there is to know, for `--help` and the guide. @default nothing */
  readonly details?: string | undefined;
  /** Whether it may make the database, as `migrate` does: a file that is not there is an error otherwise. @default false */
  readonly creates?: boolean | undefined;
}

/** A command as it is written. */
interface Definition<A extends Arguments, O extends Options> extends Description {
  /** Its arguments, in their order. @default none */
  readonly args?: A;
  /** Its options, besides those of all commands. @default none */
  readonly options?: O;
  /** Runs it. @returns The exit code. @default 0 */
  readonly run: (context: Context<A, O>) => Promise<ExitCode | void>;
}

/** A command as it is run. */
export interface Command extends Description {
  readonly args: Arguments;
  readonly options: Options;
  readonly run: (
    tools: Tools,
    args: Readonly<Record<string, unknown>>,
    options: Readonly<Record<string, unknown>>,
  ) => Promise<ExitCode | void>;
}

/** Makes a command: the types of what it gets follow from its arguments and options. */
export function command<
  const A extends Arguments = Readonly<Record<never, Argument>>,
  const O extends Options = Readonly<Record<never, Option>>,
>(definition: Definition<A, O>): Command {
  const { args, options, run, ...description } = definition;
  return {
    ...description,
    args: args ?? {},
    options: options ?? {},
    // The values are read by these very definitions, in `parse.ts`.
    run: (tools, values, given) =>
      run({
        ...tools,
        args: values as ArgumentValues<A>,
        options: given as OptionValues<O>,
      }),
  };
}
