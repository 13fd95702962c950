import type { Bytes } from '../../bytes.ts';
import { EXIT } from '../../errors.ts';
import { jsonOutput } from '../../json-text.ts';
import { enforcedBy, NEWEST_ABI } from '../../sandbox/linux/landlock.ts';
import type { Plan } from '../../sandbox/plan.ts';
import { planCall } from '../confinement.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { planDocument, planText } from './plan-text.ts';

/** Stands for a directory that is not made. */
const TEMPORARY_DIRECTORY = '/tmp/nono-SESSION' as Bytes;

/** Prints what a call would give its command, and changes and starts nothing. @param hasTerminal See ConfinementOptions. */
export async function dryRun(call: ParsedCall, context: Context, hasTerminal = false): Promise<CommandResult> {
  const { facts, host } = await context.loadSandbox();
  const options = { temporaryDirectory: TEMPORARY_DIRECTORY, setVariables: new Map(), hasTerminal };
  const { plan, question, notices } = await planCall(call, context, facts, options);
  for (const notice of notices) context.notify(notice);
  const enforced = enforcedBy(Math.min(host.landlockAbi(), NEWEST_ABI), host.isMediated() ? 'outer' : 'own');
  const tracked = call.flags.has('rollback') ? await trackedRoots(plan) : undefined;
  const described = { plan, question, enforced, tracked };
  if (call.flags.has('json')) return { output: jsonOutput(planDocument(described)), exitCode: EXIT.ok };
  const isVerbose = call.flags.has('verbose');
  return { output: planText(described, { homeDirectory: context.homeDirectory, isVerbose }), exitCode: EXIT.ok };
}

/** As the run has them. @throws {NonoError} where there are none. */
async function trackedRoots(plan: Plan): Promise<readonly Bytes[]> {
  const [{ checkRoots }, { mergeRoots }] = await Promise.all([
    import('../run-snapshots.ts'),
    import('../../rollback/baseline.ts'),
  ]);
  checkRoots(plan);
  return mergeRoots(plan.writableGrants);
}
