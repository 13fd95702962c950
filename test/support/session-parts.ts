import * as fs from 'node:fs';
import { join } from 'node:path';
import { processesOf } from './processes.ts';
import { type RawTerminal, startOnTerminal } from './raw-terminal.ts';
import { readRecord } from './sessions.ts';
import { waitFor } from './wait.ts';
import type { World } from './world.ts';

/** Answers each line, and ends with 7 when there is no more. */
const COMMAND = [
  'sh',
  '-c',
  'stty -echo 2>/dev/null; echo ready; while read -r line; do echo "got $line"; done; exit 7',
] as const;
export const COMMAND_STATUS = 7;

/** The processes of a session, by what they do. */
export type Part = 'client' | 'stand-by' | 'supervisor' | 'guardian' | 'nono' | 'mediator' | 'command';

/** A session whose command somebody talks to, from a terminal or through a pipe on one. */
export interface Talk extends Disposable {
  readonly pid: Readonly<Partial<Record<Part, number>>>;
  readonly terminal: RawTerminal;
  /** How nono, or the command in its place, ended; undefined while it has not. */
  status(): number | string | null | undefined;
}

/**
 * `terminal`: nono run on a terminal. `pipe`: without one, which makes no supervisor of its own: here standard output is no terminal.
 * `wrap`: nono becomes the command.
 */
export type Way = 'terminal' | 'pipe' | 'wrap';

export async function startTalk(world: World, way: Way): Promise<Talk> {
  const terminal =
    way === 'pipe'
      ? startOnTerminal({ ...world, asUser: [...world.asUser, 'sh', '-c', '"$@" | cat', 'sh'] }, runWords('run'))
      : startOnTerminal(world, runWords(way === 'wrap' ? 'wrap' : 'run'));
  let status: number | string | null | undefined;
  void terminal.ended.then((ended) => (status = ended));
  await waitFor('the command', () => terminal.output().includes('ready'));
  return { terminal, pid: await findParts(world, way), status: () => status, [Symbol.dispose]: () => terminal[Symbol.dispose]() };
}

function runWords(verb: 'run' | 'wrap'): readonly string[] {
  const name = verb === 'run' ? ['--name', 'mine'] : [];
  return [verb, '--allow-cwd', ...name, '--', ...COMMAND];
}

async function findParts(world: World, way: Way): Promise<Talk['pid']> {
  const named = (name: string) => processesOf(world).find((pid) => status(pid).name === name);
  const command = processesOf(world).find((pid) => status(pid).name === 'sh' && argumentsOf(pid).startsWith('sh\0-c\0stty'));
  const isRunBy = (pid: number) => argumentsOf(pid).includes('\0run\0') && status(pid).name === 'nono';
  if (command === undefined) throw new Error('The command was not found');
  if (way === 'wrap') return { command, mediator: await waitFor('the mediator', () => named('nono-mediator')) };
  const standBy = () => waitFor('who stands by', () => named('nono-stand-by'));
  const nono = processesOf(world).find((pid) => isRunBy(pid));
  if (way === 'pipe') return { command, ...(nono && { nono }), 'stand-by': await standBy() };
  const id = await waitFor('the record', () => idIn(world));
  const { supervisor_pid: supervisor } = readRecord(world, id);
  const guardian = status(command).parent;
  return { command, supervisor, guardian, ...(nono && { client: nono }), 'stand-by': await standBy() };
}

function idIn(world: World): string | undefined {
  const place = join(world.state, 'sessions');
  return fs.readdirSync(place).flatMap((name) => /^([0-9a-f]{6})\.json$/.exec(name)?.[1] ?? [])[0];
}

interface Status {
  readonly name: string;
  readonly state: string;
  readonly parent: number;
}

/** Of a process that has gone everything is empty. */
export function status(pid: number): Status {
  const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)/.exec(readFile(`/proc/${pid}/stat`)) ?? [];
  const [state = '', parent = '0'] = rest.split(' ');
  return { name, state, parent: Number(parent) };
}

function argumentsOf(pid: number): string {
  return readFile(`/proc/${pid}/cmdline`);
}

function readFile(path: string): string {
  try {
    return fs.readFileSync(path, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && ['ENOENT', 'ESRCH'].includes(String(error.code))) return '';
    throw error;
  }
}
