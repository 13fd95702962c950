/** `meanwhile`: the loop goes on while the disk works. `at once`: it stands still, where nobody needs it, which is sooner over. */
export type Pace = 'meanwhile' | 'at once';
