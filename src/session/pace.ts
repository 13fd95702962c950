/**
 * `meanwhile`: the loop goes on while the disk works. `at once`: it stands still, where nobody needs it, which is sooner over. `seen`: as meanwhile, and
 * nobody waits for more than that readers see it; after a loss of power they may see what was before.
 */
export type Pace = 'meanwhile' | 'at once' | 'seen';
