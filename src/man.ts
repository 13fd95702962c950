import { commands } from './commands/index.ts';
import type { CommandSpec } from './commands/spec.ts';
import { EXIT } from './errors.ts';
import { OWN_OPTIONS, optionLabel, TOPICS, usageLine, verbsOf } from './help.ts';

/** What the statuses say; which verb gives which is in OUTPUT.md. */
const STATUSES: readonly (readonly [status: string, meaning: string])[] = [
  ['COMMAND', 'run, shell and wrap end as their command did; 128+N when signal N ended it'],
  [String(EXIT.ok), 'done'],
  [String(EXIT.failure), 'failed'],
  [String(EXIT.usage), 'wrong usage, or an ID that fits several'],
  [String(EXIT.partial), 'done in part: conflicts, or damage was found'],
  [String(EXIT.notFound), 'there is no such session'],
  [String(EXIT.nonoFailed), 'run, shell, wrap: nono itself failed'],
  [String(EXIT.cannotExecute), 'run, shell, wrap: the command could not be executed, or the sandbox not be applied'],
  [String(EXIT.commandNotFound), 'run, shell, wrap: the command was not found'],
  [String(EXIT.takenOver), 'attach: another terminal took over'],
  [String(EXIT.cannotAttach), 'attach: could not attach, or the supervisor was killed'],
];

const FILES: readonly (readonly [path: string, meaning: string])[] = [
  ['~/.config/nono/config.toml', 'settings; nono config init writes one with every key explained'],
  ['~/.config/nono/profiles/', 'profiles of your own'],
  ['~/.nono/', 'sessions and what can be undone; may be removed when nothing runs'],
];

const VARIABLES: readonly (readonly [name: string, meaning: string])[] = [
  ['NONO_HOME', 'is used instead of ~/.nono'],
  ['XDG_CONFIG_HOME', 'is used instead of ~/.config'],
  ['NO_COLOR', 'switches colours off, whatever the next one says'],
  ['CLICOLOR_FORCE', 'switches colours on where the output is no terminal'],
  ['TERM', 'dumb means: no colours and no lines that are drawn anew'],
  ['NONO_PLAIN', 'asks for lines that a screen reader can follow: nothing is drawn anew, and no colours'],
  ['NONO_SESSION_ID', 'is set for the command: the session that it runs in'],
];

/** The manual, for man(1): the same tables as the help. */
export function manualPage(version: string): string {
  return [
    `.TH NONO 1 "" "nono ${escape(version.split(' ')[0] ?? '')}" "User Commands"`,
    '.SH NAME',
    'nono \\- run a command in a kernel\\-enforced sandbox and undo what it changed',
    '.SH SYNOPSIS',
    '.B nono',
    '.I COMMAND',
    '[\\fIOPTIONS\\fR] [\\fB\\-\\-\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]]',
    '.SH DESCRIPTION',
    line(
      'nono runs an agent, a build or a script in a sandbox that the kernel enforces, under a supervisor that owns its terminal and can be left and joined again. It takes snapshots of what the command may write, so that everything it changed can be reviewed and undone.',
    ),
    '.PP',
    line(
      'ID is the id of a session, the beginning of one, or its name. Commands on snapshots take their own ids too, and latest.',
    ),
    ...TOPICS.flatMap((topic) => [`.SH ${escape(topic.title.toUpperCase())}`, ...verbsOf(topic, commands).flatMap(verbLines)]),
    '.SH OPTIONS OF EVERY COMMAND',
    ...OWN_OPTIONS.flatMap(tagged),
    '.SH EXIT STATUS',
    ...STATUSES.flatMap(tagged),
    '.SH FILES',
    ...FILES.flatMap(tagged),
    '.SH ENVIRONMENT',
    ...VARIABLES.flatMap(tagged),
    '',
  ].join('\n');
}

function verbLines(spec: CommandSpec): string[] {
  return [
    `.SS ${escape(usageLine(spec))}`,
    line(`${spec.summary}.`),
    ...spec.options.flatMap((option) => tagged([optionLabel(option), option.help])),
    '.PP',
    'Examples:',
    '.PP',
    '.RS',
    '.nf',
    ...spec.examples.map(line),
    '.fi',
    '.RE',
  ];
}

function tagged([term, meaning]: readonly [string, string]): string[] {
  return ['.TP', `.B ${escape(term)}`, line(meaning)];
}

/** A line of text: what begins with a dot or a quote would be a request. */
function line(text: string): string {
  return /^[.']/.test(text) ? `\\&${escape(text)}` : escape(text);
}

function escape(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('…', '...')
    .replaceAll("'", '\\(aq')
    .replaceAll('`', '\\(ga');
}
