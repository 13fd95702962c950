import { basename } from 'node:path';
import { afterAll } from 'vitest';

/**
 * How hard is tried what could be tried for ever: 1 with each change, 20 by `npm run prove`.
 *
 * Under Node a tenth of it: that run shows that the engine keeps its promises with other adapters than the product's. They are
 * there for the tests alone, and start a program for each time that they set on a file.
 */
const WANTED = Number(process.env['NONO_EFFORT'] ?? 1);
const EFFORT = WANTED * ('Bun' in globalThis ? 1 : 1 / 10);

/** Whether every place is to be tried, and not some. */
export const isThorough = WANTED > 1;

/** How often the properties of the calling file are tried, where `count` is enough for each change; says so in the end. */
export function runs(path: string, count: number): number {
  const numRuns = Math.max(1, Math.round(count * EFFORT));
  afterAll(() => void process.stdout.write(`${basename(path)}: ${numRuns} runs of each property\n`));
  return numRuns;
}

/** Of things in a row only each `stride`th is tried, where that is enough for each change. */
export function stride(count: number): number {
  return Math.max(1, Math.round(count / EFFORT));
}
