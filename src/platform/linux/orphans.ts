import type { Orphans } from '../../ports/orphans.ts';
import { adoptOrphans, killDescendants } from './process-tree.ts';

export function createLinuxOrphans(): Orphans {
  return { adopt: adoptOrphans, endAll: () => killDescendants(process.pid) };
}
