import type { Bytes } from '../bytes.ts';
import type { ExitCode } from '../errors.ts';
import type { Context } from './context.ts';

/** How an option is written: `--name`, or `--name <value>`; `optional` is `--name` or `--name=VALUE`. */
export type OptionArity = 'flag' | 'value' | 'optional';

export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  readonly arity: OptionArity;
  /** May be given more than once; a `value` option that is not repeatable is an error when repeated. */
  readonly repeatable?: boolean;
  /** One letter, for `-h`-like forms. */
  readonly short?: string;
  /** Other long names that mean the same; not shown in help unless `shown` in the text. */
  readonly aliases?: readonly string[];
  /** What stands for the value in help: DIR, FILE, N. */
  readonly placeholder?: string;
  /** One line for help. */
  readonly help: string;
}

export interface PositionalSpec {
  /** Shown in usage, for instance ID or PATH. */
  readonly name: string;
  readonly minimum: number;
  /** Infinity for "any number". */
  readonly maximum: number;
}

/** Everything the parser, the help and completions need of a verb, without loading its code. */
export interface CommandSpec {
  /** 'run', or 'rollback list' for a verb of a group. */
  readonly name: string;
  readonly summary: string;
  readonly options: readonly OptionSpec[];
  readonly positionals?: PositionalSpec;
  /** Whether a command line may, or must, follow after `--`; without it, `--` is wrong usage. */
  readonly commandLine?: 'required' | 'optional';
  readonly examples: readonly string[];
  /** Loads the code of the verb only when it is used. */
  readonly load: () => Promise<{ readonly execute: Execute }>;
}

/** A parsed call: all values are bytes as the caller gave them. */
export interface ParsedCall {
  readonly flags: ReadonlySet<string>;
  /** By long name, in the order given; an `optional` option without a value has ''. */
  readonly values: ReadonlyMap<string, readonly Bytes[]>;
  readonly positionals: readonly Bytes[];
  /** What came after `--`. */
  readonly commandLine: readonly Bytes[];
}

export interface CommandResult {
  /** For stdout, newline included; pieces are written as they come. */
  readonly output?: string | Iterable<string | Uint8Array>;
  /** What comes after it, over time. */
  readonly stream?: AsyncIterable<string | Uint8Array>;
  /** A line of shell that shows what does not fit on the terminal; only where stdout is one. */
  readonly pager?: Bytes | undefined;
  /** What to do where the output could not be written, though all was done. */
  readonly unwritten?: string;
  /** Any status: `run` gives the command's own. */
  readonly exitCode: number | ExitCode;
}

export type Execute = (call: ParsedCall, context: Context) => Promise<CommandResult>;
