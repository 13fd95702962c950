import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findFaults, openWorkshop, type Result, tryFault, type Workshop } from '../support/fault-matrix.ts';
import { SCENARIOS, type Scenario } from '../support/fault-scenarios.ts';
import type { Fault } from '../support/injection.ts';
import { makeRandom } from '../support/soak.ts';
import { needCommands } from '../support/tools.ts';

const README = join(import.meta.dirname, 'README.md');
/** Of the points of a scenario so many are tried with each change, the same every time; `npm run faults` tries more of them. */
const SAMPLE = Math.round(Number(process.env['NONO_FAULTS_SAMPLE'] ?? 2) * Number(process.env['NONO_EFFORT'] ?? 1));
const SEED = Number(process.env['NONO_FAULTS_SEED'] ?? 1);
/** One scenario, and one fault as in `unlinkat:ENOMEM:3`, to see it again. */
const ONLY = process.env['NONO_FAULTS_ONLY'];
const [CALL, ANSWER = '', TURN] = process.env['NONO_FAULTS_AT']?.split(':') ?? [];
const RESULTS: readonly Result[] = ['done', 'said', 'killed', 'runtime', 'unreal', 'missed'];
/** So many at a time: most of each is spent waiting. */
const TOGETHER = 2;
let workshop: Workshop;
const counts = new Map<string, Map<Result, number>>();

/** Some faults, drawn by the seed: first one of each call, so that none is forgotten, then others of it. */
function sample(faults: readonly Fault[], seed: number): readonly Fault[] {
  const random = makeRandom(seed);
  const shuffled = faults.map((fault) => ({ fault, at: random(1 << 30) })).toSorted((a, b) => a.at - b.at);
  const seen = new Map<string, number>();
  const ranked = shuffled.map(({ fault }) => {
    const rank = seen.get(fault.call) ?? 0;
    seen.set(fault.call, rank + 1);
    return { fault, rank };
  });
  return ranked
    .toSorted((a, b) => a.rank - b.rank)
    .slice(0, SAMPLE)
    .map(({ fault }) => fault);
}

function table(): string {
  const head = `| scenario | ${RESULTS.join(' | ')} |\n|---|${'---|'.repeat(RESULTS.length)}\n`;
  const rows = Object.keys(SCENARIOS).flatMap((name) => {
    const found = counts.get(name);
    return found === undefined ? [] : [`| ${name} | ${RESULTS.map((result) => found.get(result) ?? 0).join(' | ')} |\n`];
  });
  return head + rows.join('');
}

/** A scenario that was not tried this time keeps its row. */
function writeTable(): void {
  const page = readFileSync(README, 'utf8');
  const rowOf = (text: string, name: string) => text.split('\n').find((line) => line.startsWith(`| ${name} |`));
  const rows = Object.keys(SCENARIOS).flatMap((name) => rowOf(table(), name) ?? rowOf(page, name) ?? []);
  const [head = '', line = ''] = table().split('\n');
  writeFileSync(README, page.replace(/\| scenario \|[^]*?\n(?=\n|$)/, `${[head, line, ...rows].join('\n')}\n`));
}

async function tryAll(
  name: string,
  scenario: Scenario,
  faults: readonly Fault[],
  found: Map<Result, number>,
): Promise<readonly object[]> {
  const rest = [...faults];
  const wrongs: object[] = [];
  const work = async () => {
    for (let fault = rest.shift(); fault !== undefined; fault = rest.shift()) {
      const { result, wrong } = await tryFault(workshop, scenario, fault);
      if (wrong.length > 0) {
        wrongs.push({ ...fault, result, wrong });
        // In a long run nobody wants to wait for the end.
        process.stdout.write(`${JSON.stringify({ name, ...fault, result, wrong })}\n`);
      }
      found.set(result, (found.get(result) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, work));
  return wrongs;
}

beforeAll(() => {
  workshop = openWorkshop();
});
afterAll(() => {
  workshop[Symbol.dispose]();
  process.stdout.write(`Answers and kills of system calls (seed ${SEED}), by what nono made of them:\n${table()}`);
  if (process.env['NONO_FAULTS_TABLE'] !== undefined) writeTable();
});

describe('a system call that fails, or kills,', () => {
  test.for(Object.entries(SCENARIOS).filter(([name]) => ONLY === undefined || name === ONLY))(
    'in "%s" leaves all readable and nothing behind, and the next command goes on or says why not',
    async ([name, scenario], context) => {
      needCommands(context, 'strace');
      const one = CALL === undefined ? undefined : [{ call: CALL, answer: ANSWER, turn: Number(TURN) }];
      const faults = one ?? (await findFaults(workshop, scenario));
      const found = new Map<Result, number>();
      counts.set(name, found);
      const seed = SEED + Object.keys(SCENARIOS).indexOf(name);
      expect(await tryAll(name, scenario, sample(faults, seed), found)).toEqual([]);
    },
  );

  test('has a row in the table for each scenario', () => {
    const page = readFileSync(README, 'utf8');
    expect(Object.keys(SCENARIOS).filter((name) => !page.includes(`| ${name} |`))).toEqual([]);
  });
});
