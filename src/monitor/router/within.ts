/**
 * Promises that may not take for ever.
 *
 * @module
 */

/**
 * What `promise` gives, if it does so in time.
 *
 * @throws {Error} `no answer within ... ms` if it doesn't; what it gives or throws later is dropped.
 */
export async function within<Result>(promise: Promise<Result>, ms: number): Promise<Result> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
