import { HELP_OPTION, JSON_OPTION } from './common-options.ts';
import { GRANT_OPTIONS } from './run-options.ts';
import type { CommandSpec } from './spec.ts';

const PROFILE = { name: 'NAME|PATH', minimum: 1, maximum: 1 };

/** Verbs that tell what is allowed and why, and that look after profiles and the configuration. */
export const policyCommands: readonly CommandSpec[] = [
  {
    name: 'why',
    summary: 'Tell whether the sandbox would allow something, and why',
    options: [
      { name: 'path', arity: 'value', repeatable: true, placeholder: 'PATH', help: 'The same as PATH' },
      {
        name: 'op',
        arity: 'value',
        placeholder: 'OPERATION',
        help: 'read (unless said otherwise), write, readwrite, or connect to a socket',
      },
      { name: 'no-probe', arity: 'flag', help: 'Do not try it in a sandbox that is thrown away' },
      ...GRANT_OPTIONS,
      JSON_OPTION,
      HELP_OPTION,
    ],
    positionals: { name: 'PATH', minimum: 0, maximum: Number.POSITIVE_INFINITY },
    commandLine: 'optional',
    examples: ['nono why ~/.ssh/id_ed25519', 'nono why --op write package.json --profile node-dev --allow-cwd -- npm'],
    load: () => import('./policy/why.ts'),
  },
  {
    name: 'setup',
    summary: 'See what this kernel can enforce',
    options: [
      { name: 'check-only', arity: 'flag', help: 'Look, and change nothing: there is nothing to set up' },
      JSON_OPTION,
      HELP_OPTION,
    ],
    examples: ['nono setup --check-only', 'nono setup --check-only --json'],
    load: () => import('./policy/setup.ts'),
  },
  {
    name: 'doctor',
    summary: 'Look for what can keep nono from working here, and for the way out',
    options: [JSON_OPTION, HELP_OPTION],
    examples: ['nono doctor', 'nono doctor --json'],
    load: () => import('./policy/doctor.ts'),
  },
  {
    name: 'profile list',
    summary: 'List profiles, your own and the built-in ones',
    options: [JSON_OPTION, HELP_OPTION],
    examples: ['nono profile list', 'nono profile list --json'],
    load: () => import('./policy/profile-list.ts'),
  },
  {
    name: 'profile show',
    summary: 'Show a profile with all that it extends, each line with its origin',
    options: [{ name: 'source', arity: 'flag', help: 'The file itself, with its comments' }, JSON_OPTION, HELP_OPTION],
    positionals: PROFILE,
    examples: ['nono profile show claude-code', 'nono profile show ./agent.toml --json'],
    load: () => import('./policy/profile-show.ts'),
  },
  {
    name: 'profile validate',
    summary: 'Check profiles: syntax, keys, what they extend',
    options: [JSON_OPTION, HELP_OPTION],
    positionals: { name: 'NAME|PATH', minimum: 0, maximum: Number.POSITIVE_INFINITY },
    examples: ['nono profile validate', 'nono profile validate ./agent.toml'],
    load: () => import('./policy/profile-validate.ts'),
  },
  {
    name: 'profile init',
    summary: 'Write a profile of your own, with every key explained',
    options: [
      { name: 'extends', arity: 'value', repeatable: true, placeholder: 'NAME', help: 'Add to the profile NAME' },
      HELP_OPTION,
    ],
    positionals: PROFILE,
    examples: ['nono profile init agent --extends claude-code', 'nono profile init ./agent.toml'],
    load: () => import('./policy/profile-init.ts'),
  },
  {
    name: 'config path',
    summary: 'Print where the configuration is',
    options: [HELP_OPTION],
    examples: ['nono config path', '"${EDITOR:-vi}" "$(nono config path)"'],
    load: () => import('./policy/config-path.ts'),
  },
  {
    name: 'config show',
    summary: 'Show every setting, and which are your own',
    options: [JSON_OPTION, HELP_OPTION],
    examples: ['nono config show', 'nono config show --json'],
    load: () => import('./policy/config-show.ts'),
  },
  {
    name: 'config validate',
    summary: 'Check the configuration',
    options: [JSON_OPTION, HELP_OPTION],
    examples: ['nono config validate --json', 'XDG_CONFIG_HOME="$PWD/dotfiles" nono config validate'],
    load: () => import('./policy/config-validate.ts'),
  },
  {
    name: 'config init',
    summary: 'Write a configuration with every key explained',
    options: [HELP_OPTION],
    examples: ['nono config init', 'XDG_CONFIG_HOME="$PWD/dotfiles" nono config init'],
    load: () => import('./policy/config-init.ts'),
  },
];
