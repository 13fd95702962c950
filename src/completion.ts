import type { CommandSpec, OptionSpec } from './commands/spec.ts';
import { placeOf } from './parse.ts';

/** What a word may be that only the machine knows; `command` is a whole command line of its own. */
export type WordKind = 'file' | 'directory' | 'command' | 'live-session' | 'session' | 'rollback' | 'profile' | 'variable';

export interface Candidate {
  readonly text: string;
  readonly about: string;
}

/** What may stand in the place of the last word. */
export interface Expected {
  readonly candidates: readonly Candidate[];
  readonly kinds: readonly WordKind[];
  /** For the kind `command`: the number of the word that it begins with. */
  readonly commandAt?: number;
}

/** By what stands for a value in the help: new verbs are completed without a line here. */
const KINDS: Readonly<Record<string, readonly WordKind[]>> = {
  DIR: ['directory'],
  FILE: ['file'],
  PATH: ['file'],
  'NAME|PATH': ['profile', 'file'],
  'NAME[=VALUE]': ['variable'],
};

const WORDS: Readonly<Record<string, readonly string[]>> = {
  OPERATION: ['read', 'write', 'readwrite', 'connect'],
  SHELL: ['bash', 'zsh', 'fish'],
  loopback: ['loopback'],
};

/** Verbs whose ID is of a session that still runs. */
const LIVE_VERBS = ['attach', 'detach', 'stop', 'send', 'rollback checkpoint'];
const NOTHING: Expected = { candidates: [], kinds: [] };

/**
 * What may stand for the last of `words`.
 *
 * @param words What is written after `nono`, up to and with the word that is completed, which may be empty.
 */
export function expectedWord(words: readonly string[], commands: readonly CommandSpec[]): Expected {
  const current = words.at(-1) ?? '';
  const before = words.slice(0, -1);
  const [first, second] = before;
  if (first === undefined) return { candidates: matching(topLevel(commands), current), kinds: [] };
  if (first === 'help' && !current.startsWith('-'))
    return { candidates: matching(helpWords(commands, before.slice(1)), current), kinds: [] };
  const group = first === 'undo' ? 'rollback' : first;
  // A family that is a verb too is that one where options follow.
  const isAlone = commands.some(({ name }) => name === first) && (second ?? current).startsWith('-');
  const members = isAlone ? [] : membersOf(commands, group);
  if (members.length > 0 && second === undefined && !current.startsWith('-'))
    return { candidates: matching(members, current), kinds: [] };
  const member = commands.find((command) => command.name === `${group} ${second}`);
  if (member !== undefined) return inCommand(member, words, before.length - 2);
  // A group may be a verb itself: `nono approvals -f`.
  const spec = commands.find((command) => command.name === first);
  return spec === undefined ? NOTHING : inCommand(spec, words, before.length - 1);
}

function inCommand(spec: CommandSpec, words: readonly string[], countBefore: number): Expected {
  const start = words.length - 1 - countBefore;
  const before = words.slice(start, -1);
  const current = words.at(-1) ?? '';
  const separator = before.indexOf('--');
  if (separator >= 0) {
    if (spec.commandLine === undefined) return NOTHING;
    return { candidates: [], kinds: ['command'], commandAt: start + separator + 1 };
  }
  const { given, positionals, waiting } = readBefore(spec, before);
  if (waiting !== undefined) return valueOf(spec, waiting.placeholder ?? waiting.name, current);
  const equals = current.indexOf('=');
  if (current.startsWith('--') && equals >= 0) {
    const option = findOption(spec, current.slice(0, equals));
    if (option === undefined || option.arity === 'flag') return NOTHING;
    const value = valueOf(spec, option.placeholder ?? '', current.slice(equals + 1));
    const candidates = value.candidates.map(({ text, about }) => ({ text: `${current.slice(0, equals)}=${text}`, about }));
    return { candidates, kinds: value.kinds };
  }
  const options = matching(optionWords(spec, given), current);
  if (current.startsWith('-')) return { candidates: options, kinds: [] };
  const place = positionalAt(spec, positionals);
  if (place === undefined) return { candidates: options, kinds: [] };
  return valueOf(spec, place, current);
}

/** Reads the words before the current one as the parser would, without its complaints. */
function readBefore(spec: CommandSpec, before: readonly string[]) {
  const given = new Set<string>();
  let positionals = 0;
  let waiting: OptionSpec | undefined;
  for (const word of before) {
    if (waiting !== undefined) {
      waiting = undefined;
      continue;
    }
    if (!word.startsWith('-') || word === '-') {
      positionals += 1;
      continue;
    }
    const equals = word.indexOf('=');
    const option = findOption(spec, equals < 0 ? word : word.slice(0, equals));
    if (option === undefined) continue;
    given.add(option.name);
    if (option.arity === 'value' && equals < 0) waiting = option;
  }
  return { given, positionals, waiting };
}

function findOption(spec: CommandSpec, written: string): OptionSpec | undefined {
  const name = written.replace(/^--?/, '');
  return spec.options.find((option) =>
    written.startsWith('--') ? option.name === name || option.aliases?.includes(name) : option.short === name,
  );
}

function optionWords(spec: CommandSpec, given: ReadonlySet<string>): Candidate[] {
  const words = spec.options.flatMap((option) => {
    if (given.has(option.name) && option.repeatable !== true) return [];
    const plain = { text: `--${option.name}`, about: option.help };
    const values = option.arity === 'optional' ? (WORDS[option.placeholder ?? ''] ?? []) : [];
    return [plain, ...values.map((value) => ({ text: `--${option.name}=${value}`, about: option.help }))];
  });
  return spec.commandLine === undefined ? words : [...words, { text: '--', about: 'The command comes next' }];
}

function positionalAt({ positionals }: CommandSpec, at: number): string | undefined {
  if (positionals === undefined || at >= positionals.maximum) return undefined;
  return placeOf(positionals.name, at);
}

function valueOf(spec: CommandSpec, place: string, current: string): Expected {
  const words = (WORDS[place] ?? []).map((text) => ({ text, about: '' }));
  return { candidates: matching(words, current), kinds: place === 'ID' ? idKinds(spec.name) : (KINDS[place] ?? []) };
}

function idKinds(verb: string): readonly WordKind[] {
  if (LIVE_VERBS.includes(verb)) return ['live-session'];
  // Requests come and go too fast to be offered.
  if (/^(?:approvals |allow$|deny$)/.test(verb)) return [];
  return verb.startsWith('rollback ') ? ['rollback'] : ['session'];
}

function topLevel(commands: readonly CommandSpec[]): Candidate[] {
  const seen = new Set<string>();
  const words: Candidate[] = [];
  for (const { name, summary } of commands) {
    const [first = name] = name.split(' ');
    if (seen.has(first)) continue;
    seen.add(first);
    words.push({
      text: first,
      about:
        first === name
          ? summary
          : membersOf(commands, first)
              .map(({ text }) => text)
              .join(', '),
    });
  }
  return [...words, { text: '--help', about: 'Show the help' }, { text: '--version', about: 'Print the version' }];
}

function membersOf(commands: readonly CommandSpec[], group: string): Candidate[] {
  return commands
    .filter(({ name }) => name.startsWith(`${group} `))
    .map(({ name, summary }) => ({ text: name.slice(group.length + 1), about: summary }));
}

function helpWords(commands: readonly CommandSpec[], before: readonly string[]): Candidate[] {
  const [group] = before;
  if (group === undefined) return topLevel(commands).filter(({ text }) => !text.startsWith('-'));
  return before.length === 1 ? membersOf(commands, group) : [];
}

function matching(candidates: readonly Candidate[], current: string): Candidate[] {
  // What begins with a dash is an option, and is offered when one is begun or nothing else fits.
  const isBegun = current !== '';
  const fitting = candidates.filter(({ text }) => text.startsWith(current));
  const plain = fitting.filter(({ text }) => !text.startsWith('-'));
  return isBegun || plain.length === 0 ? fitting : plain;
}
