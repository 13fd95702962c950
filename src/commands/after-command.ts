import { describeFailure } from '../errors.ts';

/**
 * What is still to be done when the command has ended, in this order. A step that fails, be it by a mistake of nono's own, keeps none of the others from
 * being done and nobody from writing down how the command ended.
 *
 * @returns what failed, by an exception or as a step says; null when nothing did.
 */
export async function doAll(...steps: readonly (() => Promise<string | null | undefined>)[]): Promise<string | null> {
  const failures: string[] = [];
  for (const step of steps) {
    try {
      const failure = await step();
      if (typeof failure === 'string') failures.push(failure);
    } catch (error) {
      failures.push(describeFailure(error).text);
    }
  }
  return failures.length === 0 ? null : failures.join('\n');
}
