/** Rejects as `work` does until then. @param longestMs Infinity waits. @returns undefined for what takes longer. */
export async function withinTime<Result>(work: Promise<Result>, longestMs: number): Promise<Result | undefined> {
  // A timer would take it for nothing.
  if (longestMs === Number.POSITIVE_INFINITY) return await work;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), longestMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
