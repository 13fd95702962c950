import { type Bytes, displayBytes } from '../bytes.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { type Manifest } from './manifest.ts';
import { type UnreadableSession } from './store.ts';

/** So many wrong letters still mean the same id: more, and every id of the same day would be meant. */
const TYPOS = 2;

/**
 * Finds a session by its id, a prefix of one, the six digits of its run, or `latest`.
 *
 * @param manifests Newest first.
 */
export function findRollbackSession(
  manifests: readonly Manifest[],
  unreadable: readonly UnreadableSession[],
  wanted: Bytes,
): Manifest {
  const shown = displayBytes(wanted);
  if (wanted === 'latest') {
    const run = manifests.find(({ kind }) => kind === 'run');
    // Who asks for it does not mean the one before, nor the undo of a restore.
    const damaged = unreadable.find(({ id, isRestore }) => !isRestore && id > (run?.id ?? ''));
    if (damaged !== undefined) throw damaged.error;
    const latest = run ?? manifests[0];
    if (latest !== undefined) return latest;
    throw new NotFoundError('Cannot find a rollback session: there is none yet', {
      hint: 'Make one with `nono run --rollback --allow-cwd -- COMMAND`',
    });
  }
  const exact = manifests.find(({ id }) => id === wanted);
  if (exact !== undefined) return exact;
  const damaged = unreadable.find(({ id }) => id === wanted);
  if (damaged !== undefined) throw damaged.error;
  const isWord = /^[0-9A-Za-z][0-9A-Za-z-]*$/.test(wanted);
  const found = isWord ? manifests.filter(({ id, runId }) => id.startsWith(wanted) || runId.startsWith(wanted)) : [];
  const damagedFound = isWord ? unreadable.filter(({ id }) => id.startsWith(wanted)) : [];
  const [first] = found;
  const [firstDamaged] = damagedFound;
  if (found.length + damagedFound.length > 1) {
    const candidates = [...found, ...damagedFound].map(({ id }) => displayBytes(id)).join(', ');
    throw new UsageError(`Cannot tell which session "${shown}" is: ${candidates}`, { hint: 'Give more of the id' });
  }
  if (first !== undefined) return first;
  if (firstDamaged !== undefined) throw firstDamaged.error;
  const names = manifests.flatMap(({ id, runId }) => [displayBytes(id), displayBytes(runId as Bytes)]);
  const guess = nearest(shown, ['latest', ...names], TYPOS);
  const hint = `${guess === undefined ? '' : `Did you mean ${guess}? `}List them with \`nono rollback list --all\``;
  throw new NotFoundError(`Cannot find rollback session "${shown}"`, { hint });
}
