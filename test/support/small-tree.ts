import * as fs from 'node:fs';
import { join } from 'node:path';

/** A little of every kind that a restore has a step for: modes, times, a link, two names of one file, an empty directory. */
export function makeTree(root: string): void {
  for (const path of ['sub/deep', 'gone/inner', 'empty']) fs.mkdirSync(join(root, path), { recursive: true });
  fs.writeFileSync(join(root, 'a'), 'one\n');
  fs.writeFileSync(join(root, 'sub/b'), 'two\n');
  fs.writeFileSync(join(root, 'gone/inner/f'), 'x\n');
  fs.writeFileSync(join(root, 'sub/deep/c'), '5\n');
  fs.linkSync(join(root, 'a'), join(root, 'sub/hard'));
  fs.symlinkSync('a', join(root, 'link'));
  fs.chmodSync(join(root, 'gone/inner'), 0o750);
  for (const path of ['a', 'sub', 'gone', '.']) fs.utimesSync(join(root, path), 1_577_840_523, 1_577_840_523);
}
