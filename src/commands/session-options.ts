import { attachCommand } from './attach-options.ts';
import { HELP_OPTION, JSON_OPTION } from './common-options.ts';
import type { CommandSpec } from './spec.ts';

const ONE_ID = { name: 'ID', minimum: 1, maximum: 1 };
const IDS = { name: 'ID', minimum: 1, maximum: Number.POSITIVE_INFINITY };

/** Verbs on sessions; ID is an id, the beginning of one, or a name. */
export const sessionCommands: readonly CommandSpec[] = [
  {
    name: 'ps',
    summary: 'List sessions',
    options: [{ name: 'all', short: 'a', arity: 'flag', help: 'Also those that have ended' }, JSON_OPTION, HELP_OPTION],
    examples: ['nono ps', 'nono ps --all --json'],
    load: () => import('./session/ps.ts'),
  },
  attachCommand,
  {
    name: 'logs',
    summary: 'Print what a session wrote',
    options: [
      { name: 'follow', short: 'f', arity: 'flag', help: 'Go on until the session ends' },
      { name: 'tail', arity: 'value', placeholder: 'N', help: 'Only the last N lines' },
      { name: 'ansi', arity: 'flag', help: 'With colours and links' },
      { name: 'raw', arity: 'flag', help: 'The bytes as they were written' },
      { name: 'cast', arity: 'value', placeholder: 'FILE', help: 'Write a recording for asciinema instead' },
      HELP_OPTION,
    ],
    positionals: ONE_ID,
    examples: ['nono logs a3f7c2 --tail 50', 'nono logs -f build', 'nono logs build --cast build.cast'],
    load: () => import('./session/logs.ts'),
  },
  {
    name: 'screen',
    summary: 'Print what a session shows, or showed last',
    options: [
      { name: 'ansi', arity: 'flag', help: 'With colours and links' },
      { name: 'html', arity: 'flag', help: 'As a page' },
      { name: 'svg', arity: 'flag', help: 'As a picture' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    positionals: ONE_ID,
    examples: ['nono screen a3f7c2', 'nono screen build --svg > build.svg'],
    load: () => import('./session/screen.ts'),
  },
  {
    name: 'detach',
    summary: 'Drop the terminals that are attached to sessions',
    options: [HELP_OPTION],
    positionals: IDS,
    examples: ['nono detach a3f7c2', 'nono detach calm-node build'],
    load: () => import('./session/detach.ts'),
  },
  {
    name: 'stop',
    summary: 'End sessions and all that they started',
    options: [
      { name: 'timeout', arity: 'value', placeholder: 'S', help: 'Seconds between SIGTERM and SIGKILL (10)' },
      { name: 'force', arity: 'flag', help: 'SIGKILL at once; twice after the command has ended: without the final snapshot' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    positionals: IDS,
    examples: ['nono stop a3f7c2', 'nono stop --timeout 60 build tests'],
    load: () => import('./session/stop.ts'),
  },
  {
    name: 'wait',
    summary: 'Wait until sessions have ended and print their exit statuses',
    options: [JSON_OPTION, HELP_OPTION],
    positionals: IDS,
    examples: ['nono wait a3f7c2', 'nono wait build tests --json'],
    load: () => import('./session/wait.ts'),
  },
  {
    name: 'inspect',
    summary: 'Show everything about sessions',
    options: [{ name: 'events', arity: 'flag', help: 'Show what happened to it: its audit log' }, JSON_OPTION, HELP_OPTION],
    positionals: IDS,
    examples: ['nono inspect a3f7c2 --json', 'nono inspect a3f7c2 --events', 'nono inspect build tests'],
    load: () => import('./session/inspect.ts'),
  },
  {
    name: 'send',
    summary: 'Type into a session',
    options: [
      { name: 'enter', arity: 'flag', help: 'Press Enter after it' },
      { name: 'key', arity: 'value', repeatable: true, placeholder: 'KEY', help: 'Press KEY after it: ctrl-c, up, esc …' },
      HELP_OPTION,
    ],
    positionals: { name: 'ID [TEXT…]', minimum: 1, maximum: Number.POSITIVE_INFINITY },
    examples: [
      'nono send a3f7c2 --enter npm test',
      'nono send a3f7c2 --enter -- --version',
      'nono send a3f7c2 --key ctrl-c',
      'nono send a3f7c2 - < script',
    ],
    load: () => import('./session/send.ts'),
  },
  {
    name: 'rename',
    summary: 'Give a session another name',
    options: [HELP_OPTION],
    positionals: { name: 'ID NAME', minimum: 2, maximum: 2 },
    examples: ['nono rename a3f7c2 nightly', 'nono rename calm-node api-refactoring'],
    load: () => import('./session/rename.ts'),
  },
  {
    name: 'prune',
    summary: 'Remove the records of ended sessions',
    options: [
      { name: 'older-than', arity: 'value', placeholder: 'DAYS', help: 'Only those that ended so long ago' },
      { name: 'keep', arity: 'value', placeholder: 'N', help: 'Keep the N that ended last' },
      { name: 'dry-run', arity: 'flag', help: 'Print what would be removed' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    examples: ['nono prune', 'nono prune --older-than 7 --keep 5'],
    load: () => import('./session/prune.ts'),
  },
];
