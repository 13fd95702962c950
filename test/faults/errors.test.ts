import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { isThorough } from '../support/effort.ts';
import { ANSWERS, type Fault, type Result, SCENARIOS, tryFault } from '../support/fault-matrix.ts';
import { memoryDirectory } from '../support/memory.ts';
import { needCommands } from '../support/tools.ts';

const README = join(import.meta.dirname, 'README.md');
/** The first calls of a kind, where most happens, and then fewer and fewer. */
const TURNS = [1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144];
/** Of the points of a scenario so many are tried with each change: others for each scenario, the same every time. */
const SAMPLE = Number(process.env['NONO_FAULTS_SAMPLE'] ?? 5);
const RESULTS: readonly Result[] = ['done', 'said', 'killed', 'runtime', 'missed'];
const counts = new Map<string, Map<Result, number>>();

function pointsOf(scenario: number): readonly Fault[] {
  const all = TURNS.flatMap((turn) =>
    Object.entries(ANSWERS).flatMap(([call, answers]) => [...answers, 'KILL'].map((answer) => ({ call, answer, turn }))),
  );
  if (isThorough) return all;
  // What comes first in a run is there in every scenario.
  const early = all.filter(({ turn }) => turn <= 3);
  return Array.from({ length: SAMPLE }, (_, index) => early[(scenario * 7 + index * 37) % early.length]).filter(
    (point) => point !== undefined,
  );
}

function table(): string {
  const head = `| scenario | ${RESULTS.join(' | ')} |\n|---|${'---|'.repeat(RESULTS.length)}\n`;
  const rows = [...counts].map(
    ([name, found]) => `| ${name} | ${RESULTS.map((result) => found.get(result) ?? 0).join(' | ')} |\n`,
  );
  return head + rows.join('');
}

afterAll(() => {
  process.stdout.write(`Answers and kills of system calls, by what nono made of them:\n${table()}`);
  if (process.env['NONO_FAULTS_TABLE'] === undefined) return;
  const page = readFileSync(README, 'utf8');
  writeFileSync(README, page.replace(/\| scenario \|[^]*?\n(?=\n|$)/, table()));
});

describe('a system call that fails, or kills,', () => {
  test.for(Object.entries(SCENARIOS).map(([name, words], index) => ({ name, words, index })))(
    'in "$name" leaves all readable, and the next command goes on or says why not',
    ({ name, words, index }, context) => {
      needCommands(context, 'strace');
      const found = new Map<Result, number>();
      counts.set(name, found);
      const over = new Set<string>();
      for (const point of pointsOf(index)) {
        if (over.has(point.call)) continue;
        const { result, wrong } = tryFault(memoryDirectory(), words, point);
        expect({ ...point, wrong }).toEqual({ ...point, wrong: [] });
        found.set(result, (found.get(result) ?? 0) + 1);
        // There are not so many of them, whatever they answer.
        if (result === 'missed') over.add(point.call);
      }
    },
  );

  test('has a row in the table for each scenario', () => {
    const page = readFileSync(README, 'utf8');
    expect(Object.keys(SCENARIOS).filter((name) => !page.includes(`| ${name} |`))).toEqual([]);
  });
});
