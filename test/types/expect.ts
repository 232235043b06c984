/** Whether two types are the same, not merely assignable to each other. */
export type Equal<X, Y> = (<T>() => T extends X ? 1 : 2) extends <T>() => T extends Y ? 1 : 2 ? true
  : false;

/** Compiles only where the two types are the same. */
export function same<X, Y>(..._differ: Equal<X, Y> extends true ? [] : [X, "is not", Y]): void {}

/** Compiles only where the value's type is exactly the one given: `expectType<string>()(value)`. */
export function expectType<X>(): <Y>(
  value: Y,
  ..._differ: Equal<X, Y> extends true ? [] : [X, "is not", Y]
) => void {
  return () => {};
}

/** Holds code that must not compile, each mistake below a `@ts-expect-error`; never runs it. */
export function refuses(_code: () => unknown): void {}
