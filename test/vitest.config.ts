import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';
import { LongestFirst } from './support/longest-first.ts';

const top = resolve(import.meta.dirname, '..');
const isBun = 'Bun' in globalThis;

/** Adapters that only exist under Bun (bun:ffi, Bun.*) are tested there, and Node's, which nobody runs under Bun, only under Node. */
const exclude = [isBun ? '**/*.node.test.ts' : '**/*.bun.test.ts'];

/** By `npm run prove` everything is tried more often, and takes longer. */
const EFFORT = Math.max(1, Number(process.env['NONO_EFFORT'] ?? 1));
/** A property that draws a hundred trees takes seconds on a slow machine; a hang must still end. */
const LAWS_TIMEOUT_MS = 120_000 * EFFORT;
const UNIT_TIMEOUT_MS = 60_000 * EFFORT;
/** One run of the executable takes milliseconds; a baseline under load takes seconds. */
const E2E_TIMEOUT_MS = 60_000;
/** One test is dozens of runs, each under strace. */
const FAULTS_TIMEOUT_MS = 300_000 * EFFORT;

/** Bun imports other languages as text when it is told so; here a plugin does. */
const otherLanguagesAsText = {
  name: 'other-languages-as-text',
  transform: (code: string, id: string) =>
    /\.(?:c|bash|zsh|fish)$/.test(id) ? `export default ${JSON.stringify(code)}` : undefined,
};

function project(name: string, testTimeout: number, more: { readonly globalSetup?: string[] } = {}) {
  return {
    plugins: [otherLanguagesAsText],
    test: {
      name,
      root: top,
      include: [`test/${name}/**/*.test.ts`],
      exclude,
      setupFiles: ['test/support/same-examples.ts'],
      testTimeout,
      hookTimeout: testTimeout,
      ...more,
    },
  };
}

export default defineConfig({
  test: {
    root: top,
    // Processes, not threads: adapters change descriptors and the like, and bun:ffi must not share an isolate.
    pool: 'forks',
    // Vitest leaves a core to itself, which is half of a small machine.
    maxWorkers: Math.max(2, availableParallelism()),
    sequence: { sequencer: LongestFirst },
    projects: [
      project('unit', UNIT_TIMEOUT_MS),
      project('contract', UNIT_TIMEOUT_MS),
      project('laws', LAWS_TIMEOUT_MS),
      project('faults', FAULTS_TIMEOUT_MS, { globalSetup: ['test/support/build-first.ts'] }),
      project('e2e', E2E_TIMEOUT_MS, { globalSetup: ['test/support/build-first.ts'] }),
    ],
  },
});
