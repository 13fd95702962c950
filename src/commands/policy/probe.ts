import type { Bytes } from '../../bytes.ts';
import { EXIT, NonoError } from '../../errors.ts';
import { type Attempt, type AttemptResults, decodeAttemptResults, encodeLaunch } from '../../sandbox/launch.ts';
import type { Plan } from '../../sandbox/plan.ts';
import { launchError } from '../../sandbox/sandbox-error.ts';
import { filterFor, launchOf } from '../confinement.ts';
import type { Context, SandboxAdapters } from '../context.ts';
import { startLauncher } from '../start-launcher.ts';

/**
 * Tries things in a sandbox of its own, which ends with it.
 *
 * @throws {NonoError} when that sandbox cannot be applied.
 */
export async function probe(
  attempts: readonly Attempt[],
  plan: Plan,
  { pid, loadParent }: Context,
  { host }: SandboxAdapters,
): Promise<AttemptResults> {
  if (attempts.length === 0) return [];
  const launcher = startLauncher((await loadParent()).spawn);
  const tried = { ...plan, asks: false };
  const filter = await filterFor(tried, host);
  const answer = decodeAttemptResults(
    await launcher.exchange(encodeLaunch({ ...launchOf(tried, { host, filter, supervisorPid: pid }), attempts })),
  );
  await launcher.exited;
  if (answer === undefined)
    throw new NonoError('E_SANDBOX', EXIT.cannotExecute, 'Cannot try it: the process in the sandbox was killed', {
      hint: 'Use --no-probe to hear what the plan says',
    });
  if ('step' in answer) throw launchError(answer, plan.command[0] as Bytes);
  return answer;
}
