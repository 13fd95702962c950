import * as fs from 'node:fs';
import { join } from 'node:path';
import { killAll, lookAfterwards } from './aftermath.ts';
import { HANG_MS, type Scenario } from './fault-scenarios.ts';
import { createInjector, type Fault, faultsIn, takeTrace, whatWasHit } from './injection.ts';
import { memoryDirectory } from './memory.ts';
import { runNono } from './nono.ts';
import { makeTree } from './small-tree.ts';
import { dumpTree } from './tree.ts';
import { BUILT_EXECUTABLE, createWorld, type World } from './world.ts';

/**
 * `done`: it was hit and made nothing of it; `said`: it failed in words; `killed`; `runtime`: Bun gave up; `unreal`: what was hit
 * too is something that never answers so; `missed`: this time there was no such call.
 */
export type Result = 'done' | 'said' | 'killed' | 'runtime' | 'unreal' | 'missed';

export interface Tried {
  readonly result: Result;
  /** What must not be, in words. */
  readonly wrong: readonly string[];
}

const EDITS = 'echo changed >a; rm -r gone; mkdir new; echo n >new/f; chmod 600 sub/b';

/** Where worlds are made, with a copy of nono of which each has a link. */
export interface Workshop extends Disposable {
  readonly place: string;
  readonly executable: string;
}

export function openWorkshop(): Workshop {
  const place = fs.mkdtempSync(join(memoryDirectory(), 'nono-faults-'));
  const executable = join(place, 'nono');
  fs.copyFileSync(BUILT_EXECUTABLE, executable);
  return {
    place,
    executable,
    [Symbol.dispose]() {
      // What a test has started that failed half way.
      killAll({ directory: place });
      fs.rmSync(place, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    },
  };
}

/** A world in which a session has changed the project, and one without a rollback has ended. */
interface Stage extends Disposable {
  readonly world: World;
  /** The project before and after that session, as dumpTree() has it. */
  readonly base: readonly string[];
  readonly left: readonly string[];
  readonly home: readonly string[];
  readonly trace: string;
}

async function setStage({ place, executable }: Workshop, scenario: Scenario): Promise<Stage> {
  const world = createWorld({ place, ownExecutable: executable });
  makeTree(world.project);
  const base = dumpTree(world.project);
  await runNono(world, ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS]);
  await runNono(world, ['run', '--allow-cwd', '--', 'true']);
  await scenario.prepare?.(world);
  return {
    world,
    base,
    left: dumpTree(world.project),
    home: dumpTree(world.home, { leaveOut: ['.nono'] }),
    trace: join(world.directory, 'trace'),
    [Symbol.dispose]() {
      killAll(world);
      world[Symbol.dispose]();
    },
  };
}

/** Lets a scenario run and gives the faults that it can meet. */
export async function findFaults(workshop: Workshop, scenario: Scenario): Promise<readonly Fault[]> {
  using stage = await setStage(workshop, scenario);
  const { status, wrong, text } = await scenario.act(stage.world, createInjector(stage.trace));
  if (status !== (scenario.usual ?? 0) || wrong.length > 0)
    throw new Error(`Without a fault: ${status} ${text} ${wrong.join('\n')}`);
  return faultsIn(takeTrace(stage.trace));
}

/** Lets a scenario meet one fault, and looks at what became of everything. */
export async function tryFault(workshop: Workshop, scenario: Scenario, fault: Fault): Promise<Tried> {
  using stage = await setStage(workshop, scenario);
  let isHanging = false;
  const hang = setTimeout(() => {
    isHanging = true;
    // Who holds the other ends of the test's pipes is killed too, or the test would wait for ever.
    killAll(stage.world);
  }, HANG_MS);
  const { status, text, wrong } = await scenario.act(stage.world, createInjector(stage.trace, fault));
  clearTimeout(hang);
  const hit = whatWasHit(takeTrace(stage.trace), fault);
  if (hit === 'unreal') return { result: 'unreal', wrong: [] };
  const found = [...wrong, ...(isHanging ? ['it hangs'] : []), ...(await whatIsWrong(stage, scenario))];
  if (hit === 'nothing') return { result: 'missed', wrong: found };
  if (/Internal error/.test(text)) found.push(`a bug's stack: ${text}`);
  if (status === (scenario.usual ?? 0)) return { result: 'done', wrong: found };
  if (/^(?:panic|error: |thread \d+ panic)|Bun v\d|oh no: Bun has crashed/m.test(text))
    return { result: 'runtime', wrong: found };
  if (fault.answer === 'KILL' || typeof status === 'string' || status === 137 || status === null)
    return { result: 'killed', wrong: found };
  if (text.trim() === '') found.push(`status ${status} without a word`);
  return { result: 'said', wrong: found };
}

/** Besides what must hold after anything: nobody's file has changed but by the session or its restore. */
async function whatIsWrong({ world, base, left, home }: Stage, { changes, isRestore = false }: Scenario): Promise<string[]> {
  return await lookAfterwards(world, async () => {
    const wrong: string[] = [];
    if (isRestore) {
      const { status, stdout, stderr } = await runNono(world, ['rollback', 'restore', 'latest']);
      if (status !== 0) wrong.push(`restored again: ${status} ${stdout}${stderr}`);
    }
    wrong.push(...whatChanged(dumpTree(world.project), { expected: isRestore ? base : left, changes, isRestore }));
    if (!isSame(dumpTree(world.home, { leaveOut: ['.nono'] }), home)) wrong.push('the home has changed');
    return wrong;
  });
}

function whatChanged(
  now: readonly string[],
  {
    expected,
    changes,
    isRestore,
  }: { readonly expected: readonly string[]; readonly changes: RegExp | undefined; readonly isRestore: boolean },
): readonly string[] {
  const comparable = (lines: readonly string[]) =>
    (isRestore ? withoutDirectoryTimes(lines) : lines).filter((line) => changes?.test(line) !== true);
  const [was, is] = [comparable(expected), comparable(now)];
  return isSame(was, is) ? [] : [`the project differs: ${is.filter((line) => !was.includes(line)).join('; ')}`];
}

/** The time of a directory in which only a hard link is put back is not in the journal: after an interruption it stays that of the restore. */
function withoutDirectoryTimes(lines: readonly string[]): readonly string[] {
  return lines.map((line) => line.replace(/ (directory \d+) mtime=\d+/, ' $1'));
}

function isSame(a: readonly string[], b: readonly string[]): boolean {
  return a.join('\n') === b.join('\n');
}
