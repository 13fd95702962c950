import type { ParentAdapters } from '../commands/context.ts';
import { createBunSpawn } from './bun/spawn.ts';
import { tryAll } from './linux/attempts.ts';
import { launchCommand } from './linux/launched-process.ts';
import { keepTree } from './linux/process-tree.ts';
import { createLinuxSignals } from './linux/signals.ts';
import { mediate } from './linux/thread-mediation.ts';

/** What `wrap`, which becomes the command, has no use for: it is loaded by those who stay its parent. */
export function createParent(): ParentAdapters {
  return {
    host: { launch: launchCommand, mediate, attempt: tryAll },
    spawn: createBunSpawn(),
    signals: createLinuxSignals(),
    keepTree,
  };
}
