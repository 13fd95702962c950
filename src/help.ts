import { commands } from './commands/index.ts';
import type { CommandSpec, OptionSpec } from './commands/spec.ts';

const WIDTH_COLUMNS = 100;

/** What people come for, and the verbs for it: by the first word of their names. */
export interface Topic {
  readonly title: string;
  readonly verbs: readonly string[];
}

export const TOPICS: readonly Topic[] = [
  { title: 'Run', verbs: ['run', 'shell', 'wrap', 'attach', 'detach', 'send', 'stop', 'wait', 'approvals', 'allow', 'deny'] },
  { title: 'Look', verbs: ['ps', 'inspect', 'logs', 'screen', 'rename', 'prune', 'why', 'audit'] },
  { title: 'Review and undo', verbs: ['rollback'] },
  { title: 'Configure', verbs: [] },
];

/** Options that no verb has for itself. */
export const OWN_OPTIONS: readonly (readonly [option: string, meaning: string])[] = [
  ['--no-color', 'Use no colours, whatever the command'],
  ['-V, --version', 'Print the version'],
];

/** The verbs of a topic, in the order of the topic; the last topic has all that no other names. */
export function verbsOf(topic: Topic, specs: readonly CommandSpec[]): readonly CommandSpec[] {
  const first = ({ name }: CommandSpec) => name.split(' ')[0] ?? name;
  if (topic !== TOPICS.at(-1)) return topic.verbs.flatMap((verb) => specs.filter((spec) => first(spec) === verb));
  const named = new Set(TOPICS.flatMap(({ verbs }) => verbs));
  return specs.filter((spec) => !named.has(first(spec)));
}

/** The page of `nono help`: each verb in one line. */
export function generalHelp(version: string): string {
  return [
    `nono ${version}: runs a command in a kernel-enforced sandbox and undoes what it changed`,
    '',
    'Usage: nono COMMAND [OPTIONS]',
    ...TOPICS.flatMap((topic) => ['', `${topic.title}:`, ...listVerbs(verbsOf(topic, commands))]),
    '',
    'Options:',
    ...OWN_OPTIONS.map(([option, meaning]) => `  ${option.padEnd(widestVerb())}  ${meaning}`),
    '',
    'Examples:',
    '  nono run --rollback --allow-cwd -- npm test',
    '  nono rollback restore latest',
    '',
    'See `nono COMMAND --help` for one command, and `nono` alone for what goes on now.',
    '',
  ].join('\n');
}

/** The page of `nono GROUP --help`: the verbs of one family. */
export function groupHelp(group: string): string {
  const members = commands.filter(({ name }) => name.startsWith(`${group} `));
  return [
    `Usage: nono ${group} VERB [OPTIONS]`,
    '',
    ...listVerbs(members),
    '',
    'Examples:',
    ...members.flatMap(({ examples }) => examples.slice(0, 1).map((example) => `  ${example}`)),
    '',
    `See \`nono ${group} VERB --help\` for one of them.`,
    '',
  ].join('\n');
}

function listVerbs(specs: readonly CommandSpec[]): string[] {
  return specs.map(({ name, summary }) => `  ${name.padEnd(widestVerb())}  ${summary}`);
}

function widestVerb(): number {
  return Math.max(...commands.map(({ name }) => name.length));
}

/** The page of `nono VERB --help`. */
export function commandHelp(spec: CommandSpec): string {
  const lines = [`Usage: ${usageLine(spec)}`, '', spec.summary, ''];
  const labels = spec.options.map(optionLabel);
  const column = Math.min(34, Math.max(...labels.map((label) => label.length)) + 4);
  lines.push('Options:');
  spec.options.forEach((option, index) => {
    const label = `  ${labels[index] ?? ''}`;
    const text = wrap(option.help, WIDTH_COLUMNS - column);
    if (label.length + 2 > column) lines.push(label);
    else lines.push(label.padEnd(column) + (text.shift() ?? ''));
    for (const line of text) lines.push(' '.repeat(column) + line);
  });
  lines.push('', 'Examples:', ...spec.examples.map((example) => `  ${example}`), '');
  return lines.join('\n');
}

/** `nono run [OPTIONS] -- COMMAND [ARGUMENT…]`. */
export function usageLine(spec: CommandSpec): string {
  const parts = [`nono ${spec.name} [OPTIONS]`];
  if (spec.positionals !== undefined) {
    const { name, minimum, maximum } = spec.positionals;
    const word = maximum > 1 && !name.includes(' ') ? `${name}…` : name;
    parts.push(minimum === 0 ? `[${word}]` : word);
  }
  if (spec.commandLine === 'required') parts.push('-- COMMAND [ARGUMENT…]');
  if (spec.commandLine === 'optional') parts.push('[-- COMMAND [ARGUMENT…]]');
  return parts.join(' ');
}

/** `-p, --profile NAME|PATH`. */
export function optionLabel({ name, arity, short, placeholder }: OptionSpec): string {
  const value = placeholder ?? 'VALUE';
  const tail = arity === 'flag' ? '' : arity === 'value' ? ` ${value}` : `[=${value}]`;
  return `${short === undefined ? '' : `-${short}, `}--${name}${tail}`;
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
