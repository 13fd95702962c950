import { type Bytes, bytesFromText } from '../../bytes.ts';
import { isProfilePath, resolveProfile } from '../../config/profiles.ts';
import { EXIT, NonoError, UsageError } from '../../errors.ts';
import { workingDirectoryOf } from '../../session/read-record.ts';
import type { Context } from '../context.ts';
import { profilePlaces } from '../load-profile.ts';
import type { CommandResult } from '../spec.ts';
import { decideAll, findQuestion, refuseGrown } from './decide.ts';
import { ownProfile, proposeGrant, writeGrant } from './grant-for-good.ts';
import { allQuestions } from './pending.ts';

/**
 * Allows for the session, and writes the grant into the user's profile once they have seen it.
 *
 * @throws {NonoError} for an answer that is no, and what cannot be written: nothing is answered then.
 */
export async function allowAlways(
  wanted: readonly Bytes[],
  { isSure }: { readonly isSure: boolean },
  context: Context,
): Promise<CommandResult> {
  const [word] = wanted;
  if (word === undefined || wanted.length > 1)
    throw new UsageError('Cannot write several answers at once: --always takes one ID', { hint: 'Give it one after the other' });
  const chosen = findQuestion(await allQuestions(context), word);
  refuseGrown(chosen);
  const { found, question } = chosen;
  const { record } = found.session;
  const places = { ...profilePlaces(context), workingDirectory: workingDirectoryOf(record) };
  const { stateDirectory, uid } = context;
  const profile = ownProfile(record.profile, { ...places, stateDirectory, uid });
  if (!isProfilePath(bytesFromText(record.profile))) resolveProfile(bytesFromText(record.profile), places);
  const { file, isNew, lines } = proposeGrant(context.files, question, profile);
  context.notify(`${isNew ? 'Writes' : 'Adds to'} ${file}:`);
  for (const line of lines) context.notify(`  ${line}`);
  if (!isSure) confirmOrThrow(context);
  const note = await writeGrant(context.files, question, profile, {
    shown: file,
    temporaryName: `.nono-${context.randomHex(8)}` as Bytes,
  });
  return await decideAll(wanted, { decision: 'session', note }, context);
}

function confirmOrThrow({ terminal, confirm }: Context): void {
  if (!terminal.isStdinTerminal || !terminal.isStderrTerminal) {
    throw new UsageError('Cannot write a profile without a yes: there is no terminal to ask on', {
      hint: 'Add --yes once you have read what would be written',
    });
  }
  if (!confirm('Write this, and allow it for the session?'))
    throw new NonoError('E_REFUSED', EXIT.failure, 'Nothing was written, and the question still waits');
}
