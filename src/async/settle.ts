/**
 * Waits until all have ended, so that nobody works on when one has failed.
 *
 * @returns What they resolved to; rejects with the first error.
 */
export async function allSettledOrThrow<const Results extends readonly unknown[]>(
  promises: { readonly [Index in keyof Results]: Promise<Results[Index]> },
): Promise<Results> {
  await Promise.allSettled(promises);
  return await Promise.all(promises) as unknown as Results;
}
