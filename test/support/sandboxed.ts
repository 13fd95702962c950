import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type Outcome, runProgram } from './nono.ts';
import { Outside } from './outside.ts';
import { PYTHON } from './tools.ts';
import { createWorld, type World } from './world.ts';

/** Both lead into the same sandbox; who mediates is another one. */
export const VERBS = ['run', 'wrap'] as const;

/** One world for all tests of a describe(), and a place outside its grants. */
export interface Sandboxed {
  readonly world: World;
  /** Nobody has visited it when a test begins. */
  readonly outside: Outside;
  /** Runs `words` in the sandbox that `verb` makes with --allow-cwd and `options`. */
  readonly inside: (verb: string, options: readonly string[], words: readonly string[]) => Promise<Outcome>;
  /** A script to which socket, os, errno and sys are known. */
  readonly python: (verb: string, script: string, options?: readonly string[]) => Promise<Outcome>;
}

/** To be called in describe(): what it gives is there once a test runs. */
export function describeSandboxed({ ordinaryUser }: { readonly ordinaryUser: boolean }): Sandboxed {
  let made: { readonly world: World; readonly outside: Outside } | undefined;
  const sandboxed: Sandboxed = {
    get world() {
      return there(made).world;
    },
    get outside() {
      return there(made).outside;
    },
    inside: (verb, options, words) => {
      const { world } = sandboxed;
      return runProgram(world, [world.executable, verb, '--allow-cwd', ...options, '--', ...words]);
    },
    python: (verb, script, options = []) =>
      sandboxed.inside(verb, options, [PYTHON, '-c', `import socket, os, errno, sys\n${script}`]),
  };
  beforeAll(async () => {
    const world = createWorld({ ordinaryUser });
    made = { world, outside: new Outside(world) };
    await made.outside.make(world);
  });
  beforeEach(() => {
    sandboxed.outside.visitors = 0;
  });
  afterAll(() => {
    made?.outside[Symbol.dispose]();
    made?.world[Symbol.dispose]();
  });
  return sandboxed;
}

function there<T>(made: T | undefined): T {
  if (made === undefined) throw new Error('The world of a describe() is there for its tests only');
  return made;
}
