import fc from 'fast-check';

const SEED = 1;

/**
 * Properties are tried with the same examples at each change, so that what fails is of that change. Whoever tries harder (NONO_EFFORT, as
 * `npm run prove` and `npm run fuzz` do) looks for what nobody has seen, and NONO_SEED chooses.
 */
const chosen = process.env['NONO_SEED'];
if (chosen !== undefined) fc.configureGlobal({ seed: Number(chosen) });
else if (Number(process.env['NONO_EFFORT'] ?? 1) <= 1) fc.configureGlobal({ seed: SEED });
