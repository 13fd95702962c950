import { HELP_OPTION } from './common-options.ts';
import type { CommandSpec } from './spec.ts';

/** Apart from the tables of all verbs: the terminal is not to wait for those. */
export const attachCommand: CommandSpec = {
  name: 'attach',
  summary: 'Connect this terminal to a session',
  options: [
    { name: 'view', arity: 'flag', help: 'Only look: type nothing, leave its size as it is' },
    { name: 'steal', arity: 'flag', help: 'Take over from the terminal that is attached' },
    {
      name: 'history',
      arity: 'value',
      placeholder: 'N',
      help: 'Lines of history to draw, all or none (those this terminal has not had)',
    },
    {
      name: 'status-line',
      arity: 'value',
      placeholder: 'WHERE',
      help: 'With --view: say what is viewed, in the title or a row',
    },
    {
      name: 'no-rollback-prompt',
      aliases: ['no-undo-prompt'],
      arity: 'flag',
      help: 'When the command ends, do not ask to review what it has changed',
    },
    HELP_OPTION,
  ],
  positionals: { name: 'ID', minimum: 1, maximum: 1 },
  examples: ['nono attach a3f7c2', 'nono attach calm-node --view --status-line row', 'nono attach build --history none'],
  load: () => import('./session/attach.ts'),
};
