import { HELP_OPTION, JSON_OPTION } from '../common-options.ts';
import type { CommandSpec } from '../spec.ts';
import { NO_PAGER_OPTION } from './pager.ts';

const ID = { name: 'ID', minimum: 1, maximum: 1 } as const;

export const rollbackCommands: readonly CommandSpec[] = [
  {
    name: 'rollback list',
    summary: 'List what can be undone, by project',
    options: [
      { name: 'path', arity: 'value', placeholder: 'DIR', help: 'Only sessions that track DIR or something in it' },
      { name: 'recent', arity: 'value', placeholder: 'N', help: 'Only the N newest' },
      { name: 'all', arity: 'flag', help: 'Also sessions that changed nothing' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    examples: ['nono rollback list', 'nono rollback list --path . --json'],
    load: () => import('./list.ts'),
  },
  {
    name: 'rollback show',
    summary: 'Show what a session changed',
    options: [
      { name: 'diff', arity: 'flag', help: 'The changes as a patch that git apply accepts' },
      { name: 'side-by-side', arity: 'flag', help: 'Old and new beside each other, with the words marked that changed' },
      { name: 'full', arity: 'flag', help: 'Each changed file as a whole, with the changed lines marked' },
      {
        name: 'snapshot',
        arity: 'value',
        placeholder: 'A..B',
        help: 'Between two snapshots; the baseline and the end by default',
      },
      NO_PAGER_OPTION,
      JSON_OPTION,
      HELP_OPTION,
    ],
    positionals: { name: 'ID [PATH…]', minimum: 1, maximum: Number.POSITIVE_INFINITY },
    examples: [
      'nono rollback show latest',
      'nono rollback show a3f7c2 src --side-by-side',
      'nono rollback show latest --diff > undo.patch',
    ],
    load: () => import('./show.ts'),
  },
  {
    name: 'rollback review',
    summary: 'Look through what a session changed and take back what you do not want',
    options: [HELP_OPTION],
    positionals: { name: 'ID [PATH…]', minimum: 1, maximum: Number.POSITIVE_INFINITY },
    examples: ['nono rollback review latest', 'nono rollback review a3f7c2 src'],
    load: () => import('./review.ts'),
  },
  {
    name: 'rollback restore',
    summary: 'Put back what a session changed',
    options: [
      { name: 'snapshot', arity: 'value', placeholder: 'N', help: 'The state to go back to; 0, the baseline, by default' },
      { name: 'dry-run', arity: 'flag', help: 'Say what would be done and change nothing' },
      { name: 'patch', arity: 'flag', help: 'Ask for each change of a file whether to take it back' },
      { name: 'force', arity: 'flag', help: 'Also what somebody else changed since, and where there is no room to undo it' },
      { name: 'touch', arity: 'flag', help: 'Files whose content comes back count as new, for make and cargo' },
      { name: 'abort', arity: 'flag', help: 'Take back a restore that was interrupted, instead of completing it' },
      { name: 'keep-conflicts', arity: 'flag', help: 'Leave what somebody else changed since, restore the rest' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    positionals: { name: 'ID [PATH…]', minimum: 1, maximum: Number.POSITIVE_INFINITY },
    examples: [
      'nono rollback restore latest',
      "nono rollback restore latest 'src/**/*.ts' --dry-run",
      'nono rollback restore latest src/main.ts --patch',
    ],
    load: () => import('./restore.ts'),
  },
  {
    name: 'rollback checkpoint',
    summary: 'Take a snapshot of a session while its command runs',
    options: [{ name: 'label', arity: 'value', placeholder: 'TEXT', help: 'What to remember it by' }, JSON_OPTION, HELP_OPTION],
    positionals: ID,
    examples: ['nono rollback checkpoint latest', 'nono rollback checkpoint a3f7c2 --label "before the rewrite"'],
    load: () => import('./checkpoint.ts'),
  },
  {
    name: 'rollback verify',
    summary: 'Check every stored byte of a session',
    options: [{ name: 'all', arity: 'flag', help: 'Every session' }, JSON_OPTION, HELP_OPTION],
    positionals: { name: 'ID', minimum: 0, maximum: 1 },
    examples: ['nono rollback verify latest', 'nono rollback verify --all --json'],
    load: () => import('./verify.ts'),
  },
  {
    name: 'rollback export',
    summary: 'Write what a session changed to one file',
    options: [
      { name: 'patch', arity: 'value', placeholder: 'FILE', help: 'A patch that git apply accepts' },
      {
        name: 'tar',
        arity: 'value',
        placeholder: 'FILE',
        help: 'What has changed: as it was in before/, as it became in after/',
      },
      {
        name: 'html',
        arity: 'value',
        placeholder: 'FILE',
        help: 'A page to read: summary, traps, files side by side; no script',
      },
      {
        name: 'snapshot',
        arity: 'value',
        placeholder: 'A..B',
        help: 'Between two snapshots; the baseline and the end by default',
      },
      HELP_OPTION,
    ],
    positionals: { name: 'ID [PATH…]', minimum: 1, maximum: Number.POSITIVE_INFINITY },
    examples: ['nono rollback export latest --html review.html', 'nono rollback export a3f7c2 src --patch -'],
    load: () => import('./export.ts'),
  },
  {
    name: 'rollback cleanup',
    summary: 'Remove rollback sessions',
    options: [
      { name: 'keep', arity: 'value', placeholder: 'N', help: 'Remove all but the N newest' },
      { name: 'older-than', arity: 'value', placeholder: 'DAYS', help: 'Remove what began more than DAYS days ago' },
      { name: 'all', arity: 'flag', help: 'Remove all but running ones, after a question' },
      { name: 'yes', arity: 'flag', help: 'Answer the question of --all' },
      { name: 'dry-run', arity: 'flag', help: 'Say what would be removed and change nothing' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    examples: ['nono rollback cleanup', 'nono rollback cleanup --keep 5 --older-than 30 --dry-run'],
    load: () => import('./cleanup.ts'),
  },
];
