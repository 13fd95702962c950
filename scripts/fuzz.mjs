// Damages what nono reads, in ever other ways, until a time is up or something is found: `npm run fuzz [MINUTES]`.
// What is found is printed with its seed; it becomes a test of its own. The same properties run, for a moment, with all tests.

import { argv, stdout } from 'node:process';
import { prepare } from './lib/prepare.mjs';
import { runVitest } from './lib/suites.mjs';

/** So many times what is tried with each change, in one round. */
const EFFORT = 20;
const MINUTES = 30;

/** What the product's own parsers read; what the executable does with its state, its socket and its words; its environment, and names of files. */
const ROUNDS = [
  { runtime: 'bun', projects: ['laws'], files: ['test/laws/fuzz.test.ts', 'test/laws/wires.bun.test.ts'] },
  {
    runtime: 'node',
    projects: ['faults'],
    files: ['state', 'live', 'environment', 'names'].map((what) => `test/faults/fuzz-${what}.test.ts`),
  },
];

const minutes = Number(argv[2] ?? MINUTES);
if (!(minutes > 0)) throw new Error(`Cannot fuzz for "${argv[2]}" minutes: a number is wanted`);
process.env.NONO_EFFORT = String(EFFORT);
await prepare({ build: false, announce: (line) => stdout.write(`== ${line}\n`) });
process.exitCode = fuzz(performance.now() + minutes * 60_000);

function fuzz(endMs) {
  for (let round = 1; ; round += 1) {
    for (const { files, ...how } of ROUNDS) {
      stdout.write(`== round ${round}: ${files.join(' ')}\n`);
      if (runVitest({ ...how, files }).some(({ failed }) => failed > 0)) return 1;
      if (performance.now() > endMs) {
        stdout.write(`== nothing was found in ${round} ${round === 1 ? 'round' : 'rounds'}\n`);
        return 0;
      }
    }
  }
}
