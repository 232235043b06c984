/**
 * The member for `await using`, where the program's `lib` declares it: elsewhere, naming the symbol would not compile.
 *
 * @category Consumers
 */
export type Disposal = {
  readonly [
    Key in SymbolConstructor extends { readonly asyncDispose: infer Known extends symbol } ? Known
      : never
  ]: () => Promise<void>;
};
