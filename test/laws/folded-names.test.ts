import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { abortRestore, findUnfinished, resumeRestore } from '../../src/rollback/interrupted.ts';
import { stride } from '../support/effort.ts';
import { dumpTree } from '../support/tree.ts';
import { Engine } from './support/engine.ts';
import { FaultPlan, makeFaulty } from './support/faulty-files.ts';
import { makeFolding } from './support/folding-files.ts';

/** Calls of the file system between two at which a restore is interrupted. */
const STRIDE = stride(19);

/** The names that a session gave to what there was, and whether it wrote something else into it too. */
const RENAMES = [
  { what: 'a file', from: 'README.md', to: 'readme.md', isEdited: false },
  { what: 'a file that it edited', from: 'README.md', to: 'Readme.md', isEdited: true },
  { what: 'a directory', from: 'Docs', to: 'docs', isEdited: true },
  { what: 'an accent', from: 'caf\u00e9', to: 'cafe\u0301', isEdited: true },
] as const;

function make(root: string): void {
  for (const name of ['README.md', 'caf\u00e9', 'other']) fs.writeFileSync(join(root, name), name);
  fs.mkdirSync(join(root, 'Docs/Deep'), { recursive: true });
  for (const name of ['Docs/one', 'Docs/Two', 'Docs/Deep/three']) fs.writeFileSync(join(root, name), name);
}

function rename(root: string, { from, to, isEdited }: (typeof RENAMES)[number]): void {
  fs.renameSync(join(root, from), join(root, to));
  if (isEdited) fs.writeFileSync(fs.statSync(join(root, to)).isDirectory() ? join(root, to, 'one') : join(root, to), 'edited');
}

describe('on a file system to which names that differ by case are one,', () => {
  test.for(RENAMES)('a restore gives $what back the name it had, and its undo the other', async (rename_) => {
    using engine = new Engine('tree', ({ files }) => ({ files: makeFolding(files) }));
    make(engine.root);
    const before = dumpTree(engine.root);
    const id = await engine.run(() => rename(engine.root, rename_));
    const left = dumpTree(engine.root);

    const undo = await engine.restore(id);
    expect(dumpTree(engine.root)).toEqual(before);
    expect(await engine.restore(id)).toBe(undefined);
    await engine.restore(undo ?? '');
    expect(dumpTree(engine.root)).toEqual(left);
  });

  test.for([false, true])('one that is killed is completed or taken back (taken back: %s)', async (isAbort) => {
    for (let turn = 1; ; turn += STRIDE) {
      const plan = new FaultPlan();
      using engine = new Engine('tree', ({ files }) => ({ files: makeFaulty(makeFolding(files), plan) }));
      make(engine.root);
      const before = dumpTree(engine.root);
      const id = await engine.run(() => RENAMES.slice(1).forEach((one) => rename(engine.root, one)));
      const left = dumpTree(engine.root);
      plan.arm(turn, 'EIO');
      await engine.restore(id).catch(() => undefined);
      plan.disarm();
      if (plan.failed === undefined) break;
      using store = engine.store();
      const begun = findUnfinished(
        store.manifests(() => undefined),
        bytesFromText(id),
      );
      for (const safety of begun) await (isAbort ? abortRestore : resumeRestore)(engine.deps, store, safety);
      if (begun.length > 0) expect(dumpTree(engine.root), `call ${turn}`).toEqual(isAbort ? left : before);
      await engine.restore(id);
      expect(dumpTree(engine.root), `call ${turn}`).toEqual(before);
    }
  });
});
