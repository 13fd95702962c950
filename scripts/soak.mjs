// Fifty sessions that are used, stopped and killed at random: `npm run soak [MINUTES]`. NONO_SOAK_SEED repeats what a run printed.

import { argv, env, stdout } from 'node:process';

const MINUTES = 30;
const minutes = Number(argv[2] ?? MINUTES);
if (!(minutes > 0)) throw new Error(`Cannot soak for "${argv[2]}" minutes: a number is wanted`);
env.NONO_SOAK_MINUTES = String(minutes);
// A run of tests has a quarter of an hour for each of these.
env.NONO_EFFORT = String(Math.ceil((2 * minutes + 10) / 15));

const { prepare } = await import('./lib/prepare.mjs');
const { runVitest } = await import('./lib/suites.mjs');
await prepare({ build: false, announce: (line) => stdout.write(`== ${line}\n`) });
const [{ failed }] = runVitest({ projects: ['faults'], runtime: 'node', files: ['test/faults/soak.test.ts'] });
process.exitCode = failed === 0 ? 0 : 1;
