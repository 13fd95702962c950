import * as fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../src/bytes.ts';
import { compareTrees } from '../../src/rollback/compare.ts';
import { diffLines, groupHunks } from '../../src/rollback/edit-script.ts';
import { abortRestore, resumeRestore } from '../../src/rollback/interrupted.ts';
import { type ReplaceOutcome, replaceContent } from '../../src/rollback/replace-content.ts';
import { revertHunks } from '../../src/rollback/revert-hunks.ts';
import type { RollbackDeps } from '../../src/rollback/rollback-deps.ts';
import { createTestClock, loadAdapters } from '../support/adapters.ts';
import { Engine } from './support/engine.ts';

const adapters = await loadAdapters();
const deps: RollbackDeps = { files: adapters.files, hash: adapters.hash, clock: createTestClock() };

const lines = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n', '\n', 'x\n'), { maxLength: 40 }) as fc.Arbitrary<Bytes[]>;

describe('revertHunks()', () => {
  test('takes back all, nothing, or a part, which leaves exactly the others', () => {
    fc.assert(
      fc.property(lines, lines, fc.nat(3), fc.infiniteStream(fc.boolean()), (before, after, context, stream) => {
        const hunks = groupHunks(diffLines(before, after), context);
        const chosen = new Set(hunks.map((_, index) => index).filter(() => stream.next().value === true));
        expect(revertHunks(before, after, hunks, () => true)).toEqual(before);
        expect(revertHunks(before, after, hunks, () => false)).toEqual(after);
        // The same from the other side: what was left there is what was taken back here.
        const mirrored = groupHunks(diffLines(before, after), context).map((hunk) => ({
          ...hunk,
          oldStart: hunk.newStart,
          newStart: hunk.oldStart,
          edits: hunk.edits.map(({ equal, removed, added }) => ({ equal, removed: added, added: removed })),
        }));
        const part = revertHunks(before, after, hunks, (index) => chosen.has(index));
        expect(part).toEqual(revertHunks(after, before, mirrored, (index) => !chosen.has(index)));
      }),
    );
  });
});

/** A session that changed one file, of which a part was taken back. */
async function replace(engine: Engine, content: string): Promise<{ readonly id: string; readonly outcome: ReplaceOutcome }> {
  fs.writeFileSync(join(engine.root, 'file'), 'old 1\nold 2\n', { mode: 0o640 });
  const id = await engine.run(() => fs.writeFileSync(join(engine.root, 'file'), 'new 1\nnew 2\n'));
  return { id, outcome: await replaceAgain(engine, id, content) };
}

function replaceAgain(engine: Engine, id: string, content: string): Promise<ReplaceOutcome> {
  return engine.look(id, async (session, state) => {
    using store = engine.store();
    const path = bytesFromText(join(engine.root, 'file'));
    const change = compareTrees(session.tree(state.manifest, 0), state.tree).find((candidate) => candidate.path === path);
    if (change?.after === undefined) throw new Error('The file has not changed');
    const replacement = { session, state, path, root: change.root, expected: change.after, content: Buffer.from(content) };
    return await replaceContent(deps, store, replacement, process.pid);
  });
}

/** Makes the restore one that was killed, with the file in the state that it had then. */
function interrupt(engine: Engine, safetyId: Bytes, content: string): void {
  using store = engine.store();
  using safety = store.open(safetyId);
  safety.writeManifest({ ...safety.manifest, status: 'open', endedMs: undefined, counts: undefined });
  fs.writeFileSync(join(engine.root, 'file'), content);
  fs.writeFileSync(join(engine.root, `.nono-restore-${safetyId}-0`), 'half');
}

function read(engine: Engine): string {
  return fs.readFileSync(join(engine.root, 'file'), 'utf8');
}

describe('a file of which a part was taken back', () => {
  test('has that content, keeps its mode, and can be undone and restored as a whole', async () => {
    using engine = new Engine();
    const { id, outcome } = await replace(engine, 'old 1\nnew 2\n');
    expect(read(engine)).toBe('old 1\nnew 2\n');
    expect(fs.statSync(join(engine.root, 'file')).mode & 0o777).toBe(0o640);
    if (!('safetyId' in outcome)) throw new Error(outcome.refused);
    expect((await engine.verify(outcome.safetyId)).findings).toEqual([]);
    await engine.restore(outcome.safetyId);
    expect(read(engine)).toBe('new 1\nnew 2\n');
    await engine.restore(id);
    expect(read(engine)).toBe('old 1\nold 2\n');
  });

  test.for([
    { when: 'before the file was touched', content: 'new 1\nnew 2\n' },
    { when: 'after it', content: 'old 1\nnew 2\n' },
  ])('is completed, or taken back, when nono was killed $when', async ({ content }) => {
    for (const verb of ['resume', 'abort'] as const) {
      using engine = new Engine();
      const { outcome } = await replace(engine, 'old 1\nnew 2\n');
      if (!('safetyId' in outcome)) throw new Error(outcome.refused);
      interrupt(engine, outcome.safetyId, content);
      using store = engine.store();
      if (verb === 'resume') await resumeRestore(deps, store, outcome.safetyId);
      else await abortRestore(deps, store, outcome.safetyId);
      expect(read(engine)).toBe(verb === 'resume' ? 'old 1\nnew 2\n' : 'new 1\nnew 2\n');
      expect(fs.readdirSync(engine.root)).toEqual(['file']);
      expect(store.ids().includes(outcome.safetyId)).toBe(verb === 'resume');
      if (verb === 'resume') {
        await engine.restore(outcome.safetyId);
        expect(read(engine)).toBe('new 1\nnew 2\n');
      }
    }
  });

  test('is left alone when somebody has changed it, also after a kill', async () => {
    using engine = new Engine();
    const { id, outcome } = await replace(engine, 'old 1\nnew 2\n');
    if (!('safetyId' in outcome)) throw new Error(outcome.refused);
    interrupt(engine, outcome.safetyId, 'mine\n');
    using store = engine.store();
    await resumeRestore(deps, store, outcome.safetyId);
    expect(read(engine)).toBe('mine\n');
    expect(await replaceAgain(engine, id, 'x')).toEqual({ refused: 'it was changed since the session' });
    expect(read(engine)).toBe('mine\n');
  });
});
