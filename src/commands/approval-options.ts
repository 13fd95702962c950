import { HELP_OPTION, JSON_OPTION } from './common-options.ts';
import type { CommandSpec } from './spec.ts';

const IDS = { name: 'ID', minimum: 1, maximum: Number.POSITIVE_INFINITY };

const LIST: Omit<CommandSpec, 'name'> = {
  summary: 'List what sessions ask for and nobody has answered',
  options: [{ name: 'follow', short: 'f', arity: 'flag', help: 'Go on with what comes, a line each' }, JSON_OPTION, HELP_OPTION],
  examples: ['nono approvals', 'nono approvals -f'],
  load: () => import('./approvals/list.ts'),
};

const ALLOW: Omit<CommandSpec, 'name'> = {
  summary: 'Let a session open what it asks for',
  options: [
    { name: 'session', arity: 'flag', help: 'For the rest of the session' },
    { name: 'folder', arity: 'flag', help: 'All of its folder, for the rest of the session' },
    { name: 'always', arity: 'flag', help: 'For the session, and in your profile; what is written is shown first' },
    { name: 'yes', arity: 'flag', help: 'With --always: write it without asking' },
    HELP_OPTION,
  ],
  positionals: IDS,
  examples: ['nono allow a3f7c2-1', 'nono allow --session a3f7c2-1 a3f7c2-2'],
  load: () => import('./approvals/allow.ts'),
};

const DENY: Omit<CommandSpec, 'name'> = {
  summary: 'Refuse what a session asks for',
  options: [
    { name: 'session', arity: 'flag', help: 'For the rest of the session, without another question' },
    { name: 'reason', arity: 'value', placeholder: 'TEXT', help: 'Why, for the audit log' },
    HELP_OPTION,
  ],
  positionals: IDS,
  examples: ['nono deny a3f7c2-1', 'nono deny --reason "not this one" a3f7c2-1'],
  load: () => import('./approvals/deny.ts'),
};

/** The same verbs within their family, where help names them by it. */
function inFamily(spec: Omit<CommandSpec, 'name'>, name: string): CommandSpec {
  const examples = spec.examples.map((example) => example.replace(/^nono \S+/, `nono ${name}`));
  return { ...spec, name, examples };
}

/** Verbs on requests outside the grants; ID is `SESSION-NUMBER`, or the number alone. */
export const approvalCommands: readonly CommandSpec[] = [
  { name: 'approvals', ...LIST },
  inFamily(LIST, 'approvals list'),
  inFamily(ALLOW, 'approvals allow'),
  inFamily(DENY, 'approvals deny'),
  { name: 'allow', ...ALLOW },
  { name: 'deny', ...DENY },
];
