import { HELP_OPTION } from './common-options.ts';
import type { CommandSpec, OptionSpec } from './spec.ts';
import * as wrap from './wrap.ts';

export const GRANT_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'profile',
    short: 'p',
    arity: 'value',
    placeholder: 'NAME|PATH',
    help: 'Start from a profile, see `nono profile list`',
  },
  {
    name: 'allow',
    short: 'a',
    arity: 'value',
    repeatable: true,
    placeholder: 'DIR',
    help: 'Let the command read and write below DIR',
  },
  { name: 'read', short: 'r', arity: 'value', repeatable: true, placeholder: 'DIR', help: 'Let the command read below DIR' },
  {
    name: 'write',
    short: 'w',
    arity: 'value',
    repeatable: true,
    placeholder: 'DIR',
    help: 'Let the command write below DIR, not read',
  },
  {
    name: 'allow-file',
    arity: 'value',
    repeatable: true,
    placeholder: 'FILE',
    help: 'Let the command read and write FILE; to replace it by another file takes its directory',
  },
  { name: 'read-file', arity: 'value', repeatable: true, placeholder: 'FILE', help: 'Let the command read FILE' },
  { name: 'write-file', arity: 'value', repeatable: true, placeholder: 'FILE', help: 'Let the command write FILE, not read' },
  { name: 'allow-cwd', arity: 'flag', help: 'Share the working directory, to read and write unless the profile says otherwise' },
  {
    name: 'allow-socket',
    arity: 'value',
    repeatable: true,
    placeholder: 'PATH',
    help: 'Let the command connect to the socket PATH, or those below it',
  },
  {
    name: 'override-deny',
    arity: 'value',
    repeatable: true,
    placeholder: 'PATH',
    help: 'Permit a grant of the sensitive place PATH',
  },
  {
    name: 'env',
    arity: 'value',
    repeatable: true,
    placeholder: 'NAME[=VALUE]',
    help: 'Pass the variable NAME although it would be withheld, or set it',
  },
  {
    name: 'env-file',
    arity: 'value',
    repeatable: true,
    placeholder: 'FILE',
    help: 'Pass or set the variables of FILE: lines as for --env, # begins a comment',
  },
  {
    name: 'block-net',
    aliases: ['net-block'],
    arity: 'optional',
    placeholder: 'loopback',
    help: 'Leave the command no network, or only TCP within this machine',
  },
  {
    name: 'allow-net',
    aliases: ['net-allow'],
    arity: 'flag',
    help: 'Leave it the whole network, although its profile blocks it',
  },
  {
    name: 'allow-port',
    arity: 'value',
    repeatable: true,
    placeholder: 'PORT',
    help: 'Leave it only TCP, and let it connect to PORT',
  },
  {
    name: 'allow-bind',
    arity: 'value',
    repeatable: true,
    placeholder: 'PORT',
    help: 'Leave it only TCP, and let it listen on PORT',
  },
  { name: 'best-effort', arity: 'flag', help: 'Go on, and say so, where the kernel cannot enforce everything' },
  { name: 'verbose', short: 'v', arity: 'flag', help: 'Say what the profile names and this machine does not have' },
];

const DRY_RUN_OPTIONS: readonly OptionSpec[] = [
  { name: 'dry-run', arity: 'flag', help: 'Print what the command would be given, and start nothing' },
  { name: 'json', arity: 'flag', help: 'With --dry-run: print one JSON document' },
];

/** How `run` and `shell` take snapshots. */
const ROLLBACK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'rollback',
    aliases: ['undo'],
    arity: 'flag',
    help: 'Take snapshots, so that what the command changes can be undone',
  },
  {
    name: 'rollback-exclude',
    arity: 'value',
    repeatable: true,
    placeholder: 'PATTERN',
    help: 'Leave out what PATTERN fits, a line as in .gitignore',
  },
  {
    name: 'rollback-include',
    arity: 'value',
    repeatable: true,
    placeholder: 'PATTERN',
    help: 'Track what PATTERN fits although a rule leaves it out',
  },
  {
    name: 'no-rollback-prompt',
    aliases: ['no-undo-prompt'],
    arity: 'flag',
    help: 'Ask nobody at the end to review what has changed',
  },
  { name: 'no-rollback', aliases: ['no-undo'], arity: 'flag', help: 'Take none, as without --rollback' },
  { name: 'rollback-all', arity: 'flag', help: 'Leave nothing out, not even node_modules and .git' },
  { name: 'durable', arity: 'flag', help: 'Start the command only when its baseline is on the disk, however long that takes' },
  {
    name: 'checkpoint-every',
    arity: 'value',
    placeholder: 'TIME',
    help: 'Take a snapshot of what has changed every TIME too: 90s, 10m, 2h',
  },
];

/** Requests outside the grants. */
const ASK_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'ask',
    aliases: ['capability-elevation'],
    arity: 'flag',
    help: 'Have opens outside the grants wait for an answer; renames, unlinks fail',
  },
  { name: 'ask-timeout', arity: 'value', placeholder: 'SECONDS', help: 'Deny what nobody has answered by then (300)' },
  { name: 'no-ask', arity: 'flag', help: 'Ask for nothing, although the profile says so' },
];

const SESSION_OPTIONS: readonly OptionSpec[] = [
  { name: 'name', arity: 'value', placeholder: 'NAME', help: 'Name the session' },
  ...ASK_OPTIONS,
  ...ROLLBACK_OPTIONS,
  { name: 'silent', short: 's', arity: 'flag', help: 'Say nothing and ask for no review, unless nono itself fails' },
  { name: 'detached', arity: 'flag', help: 'Leave the command in the background, on a terminal of its own' },
  { name: 'supervised', arity: 'flag', help: 'Accepted for older scripts: every run is supervised' },
];

export const runCommands: readonly CommandSpec[] = [
  {
    name: 'run',
    summary: 'Run a command in the sandbox, supervised',
    options: [...GRANT_OPTIONS, ...SESSION_OPTIONS, ...DRY_RUN_OPTIONS, HELP_OPTION],
    commandLine: 'required',
    examples: ['nono run --rollback --allow-cwd -- npm test', 'nono run --read ~/data --allow . -- python3 report.py'],
    load: () => import('./run.ts'),
  },
  {
    name: 'shell',
    summary: 'Run your shell in the sandbox, supervised',
    options: [...GRANT_OPTIONS, ...SESSION_OPTIONS, ...DRY_RUN_OPTIONS, HELP_OPTION],
    examples: ['nono shell --allow-cwd', 'nono shell --profile node-dev --rollback'],
    load: () => import('./shell.ts'),
  },
  {
    name: 'wrap',
    summary: 'Become a command in the sandbox, without a supervisor',
    options: [...GRANT_OPTIONS, ...DRY_RUN_OPTIONS, HELP_OPTION],
    commandLine: 'required',
    examples: ['nono wrap --allow-cwd -- make', 'nono wrap --read /srv/data -- grep -r needle /srv/data'],
    // Loaded with this table: what it needs is there by then, and a way through the loader of modules takes longer than it is.
    load: () => Promise.resolve(wrap),
  },
];
