import type { Bytes } from '../bytes.ts';
import { hookInput, programName } from '../session/approval-host.ts';
import type { AskingDeps } from '../session/question.ts';
import { accessWord, type Question } from '../session/question.ts';
import type { AskingWish, SessionStart } from '../session/start-wire.ts';
import type { SupervisorDeps } from './supervisor-deps.ts';

/** How a session with a terminal asks; what writes profiles is loaded when somebody wants one written. */
export function supervisorAsking(
  { timeoutMs, hook, profilesDirectory: directory }: AskingWish,
  { identity, homeDirectory, stateDirectory, uid }: Pick<SessionStart, 'identity' | 'homeDirectory' | 'stateDirectory' | 'uid'>,
  { files, clock, loadHookRunner, randomHex }: Pick<SupervisorDeps, 'files' | 'clock' | 'loadHookRunner' | 'randomHex'>,
): AskingDeps {
  const grantable = ({ access, paths }: Question) => ({ access: accessWord(access), paths });
  const load = () => import('./approvals/grant-for-good.ts');
  const { id: sessionId, profile, workingDirectory } = identity;
  const places = { files, directory, workingDirectory, homeDirectory, stateDirectory, uid };
  return {
    timeoutMs,
    programOf: (pid) => programName(files, pid),
    async propose(question) {
      const { ownProfile, proposeGrant } = await load();
      return proposeGrant(files, grantable(question), ownProfile(profile, places));
    },
    async write(question, shown) {
      const { ownProfile, writeGrant } = await load();
      const temporaryName = `.nono-${randomHex(8)}` as Bytes;
      return await writeGrant(files, grantable(question), ownProfile(profile, places), { shown, temporaryName });
    },
    onAsked(question, name) {
      if (hook === null) return;
      const input = hookInput(question, { sessionId, name, clock });
      void loadHookRunner(hook.environment).then((run) => run(hook.command, input));
    },
  };
}
