import type { Bytes } from './bytes.ts';
import { displayBytes } from './bytes.ts';
import type { CommandSpec, OptionSpec, ParsedCall } from './commands/spec.ts';
import { UnknownWordError, UsageError } from './errors.ts';
import { nearest } from './nearest.ts';

/**
 * Splits the words after the verb by its table of options.
 *
 * Strict: an unknown option, a second value for an option that takes one, a missing or an unwanted
 * value and a wrong number of positionals are errors. Behind `--` comes the command of a verb that runs one; for others
 * nothing behind it is an option. Values stay the bytes that they are ("007" is not 7).
 *
 * @throws {UsageError}
 */
export function parseCall(spec: CommandSpec, words: readonly Bytes[]): ParsedCall {
  const separator = words.indexOf('--' as Bytes);
  const before = separator < 0 ? words : words.slice(0, separator);
  const behind = separator < 0 ? [] : words.slice(separator + 1);
  const commandLine = spec.commandLine === undefined ? [] : behind;
  const flags = new Set<string>();
  const values = new Map<string, Bytes[]>();
  const positionals: Bytes[] = [];

  for (let at = 0; at < before.length; at++) {
    const word = before[at] as Bytes;
    if (!word.startsWith('-') || word === '-') {
      positionals.push(word);
      continue;
    }
    const equals = word.indexOf('=');
    const written = equals < 0 ? word : word.slice(0, equals);
    const inline = equals < 0 ? undefined : (word.slice(equals + 1) as Bytes);
    const option = findOption(spec, written);
    const label = `--${option.name}`;
    if (option.arity === 'flag') {
      if (inline !== undefined) throw usage(spec, `Cannot use ${label} with a value: it takes none`);
      if (flags.has(option.name)) throw usage(spec, `Cannot use ${label} twice`);
      flags.add(option.name);
      continue;
    }
    let value = inline ?? ('' as Bytes);
    if (option.arity === 'value' && inline === undefined) {
      at += 1;
      const next = before[at];
      if (next === undefined) throw usage(spec, `Cannot use ${label} without ${option.placeholder ?? 'a value'}`);
      value = next;
    }
    const given = values.get(option.name) ?? [];
    if (given.length > 0 && option.repeatable !== true) throw usage(spec, `Cannot use ${label} twice`);
    if (value === '' && (option.arity === 'value' || inline !== undefined))
      throw usage(spec, `Cannot use ${label} with an empty value`);
    values.set(option.name, [...given, value]);
  }
  if (spec.commandLine === undefined) positionals.push(...behind);
  if (flags.has('help')) return { flags, values, positionals, commandLine };
  checkPositionals(spec, positionals, separator >= 0);
  if (spec.commandLine === 'required' && (commandLine.length === 0 || commandLine[0] === '')) {
    throw usage(spec, `Cannot ${spec.name} without a command: write it after "--"`);
  }
  return { flags, values, positionals, commandLine };
}

function findOption(spec: CommandSpec, written: string): OptionSpec {
  const isLong = written.startsWith('--');
  const name = written.slice(isLong ? 2 : 1);
  const found = spec.options.find((option) =>
    isLong ? option.name === name || option.aliases?.includes(name) : option.short === name,
  );
  if (found !== undefined) return found;
  const names = spec.options.flatMap((option) => [option.name, ...(option.aliases ?? [])]);
  const guess = nearest(name, names);
  const message = `Cannot use "${displayBytes(written as Bytes)}": nono ${spec.name} has no such option`;
  const hint = guess === undefined ? `See \`nono ${spec.name} --help\`` : `Did you mean --${guess}?`;
  throw new UnknownWordError('option', written, message, hint);
}

/** What a positional is, by the name of all of them: of `ID [PATH…]` the first is ID, and all that follow are PATH. */
export function placeOf(name: string, at: number): string {
  const places = name.split(' ').map((place) => place.replace(/[[\]…]/g, ''));
  return places[Math.min(at, places.length - 1)] ?? '';
}

function checkPositionals(spec: CommandSpec, positionals: readonly Bytes[], hasSeparator: boolean): void {
  if (hasSeparator && spec.commandLine === undefined && spec.positionals === undefined)
    throw usage(spec, 'Cannot use "--": there is no command to run here');
  const { name, minimum, maximum } = spec.positionals ?? { name: '', minimum: 0, maximum: 0 };
  const empty = positionals.indexOf('' as Bytes);
  if (empty >= 0) throw usage(spec, `Cannot use an empty ${placeOf(name, empty) || 'argument'}`);
  if (positionals.length < minimum) {
    const needed = name.split(' [', 1).join('').replaceAll(' ', ' and ');
    throw usage(spec, `Cannot run "nono ${spec.name}" without ${needed}`);
  }
  if (positionals.length > maximum) {
    const extra = displayBytes(positionals[maximum] as Bytes);
    const way = spec.commandLine === 'required' ? ': write the command after "--"' : '';
    throw usage(spec, `Cannot use the extra argument "${extra}"${way}`);
  }
}

function usage(spec: CommandSpec, message: string): UsageError {
  return new UsageError(message, { hint: `See \`nono ${spec.name} --help\`` });
}

/** A whole number of at least 0. @throws {UsageError} */
export function parseCount(option: string, value: Bytes): number {
  const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
  if (Number.isSafeInteger(number)) return number;
  throw new UsageError(`Cannot use --${option} "${displayBytes(value)}": expected a whole number of 0 or more`);
}
