import { HELP_OPTION } from './common-options.ts';
import type { CommandSpec } from './spec.ts';

/** Verbs about nono itself. */
export const supportCommands: readonly CommandSpec[] = [
  {
    name: 'completion',
    summary: 'Print what lets a shell complete words of nono',
    options: [HELP_OPTION],
    positionals: { name: 'SHELL', minimum: 1, maximum: 1 },
    examples: ['nono completion bash >> ~/.bashrc', 'nono completion fish > ~/.config/fish/completions/nono.fish'],
    load: () => import('./support/completion.ts'),
  },
  {
    name: 'help',
    summary: 'Show this page, that of a command, or the manual',
    options: [{ name: 'man', arity: 'flag', help: 'Print the manual page, for man(1)' }, HELP_OPTION],
    positionals: { name: 'COMMAND', minimum: 0, maximum: 2 },
    examples: ['nono help run', 'nono help --man | man -l -'],
    load: () => Promise.reject(new TypeError('Expected the command line to show the help itself')),
  },
];
