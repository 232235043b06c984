/**
 * Waits until all promises are settled, so that no sibling is still running when one fails.
 *
 * @returns The values, in order; rejects with the error of the first promise in the list that failed.
 */
export async function allSettledOrThrow<const Results extends readonly unknown[]>(
  promises: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as Results;
}
