import { HELP_OPTION, JSON_OPTION } from '../common-options.ts';
import type { CommandSpec } from '../spec.ts';

const ALL_OPTION = { name: 'all', arity: 'flag', help: 'Every session that has a log' } as const;
const ID = { name: 'ID', minimum: 0, maximum: 1 } as const;

/** Verbs on the audit logs of sessions. */
export const auditCommands: readonly CommandSpec[] = [
  {
    name: 'audit verify',
    summary: 'Check that an audit log is as it was written',
    options: [ALL_OPTION, JSON_OPTION, HELP_OPTION],
    positionals: ID,
    examples: ['nono audit verify a3f7c2', 'nono audit verify --all --json'],
    load: () => import('./verify.ts'),
  },
  {
    name: 'audit export',
    summary: 'Print an audit log, line by line or as one JSON document',
    options: [ALL_OPTION, JSON_OPTION, HELP_OPTION],
    positionals: ID,
    examples: ['nono audit export a3f7c2 > a3f7c2.jsonl', 'nono audit export --all --json'],
    load: () => import('./export.ts'),
  },
];
