import { count, keySequence, quantity, type Setting, size, text } from './kinds.ts';

/** Every key of config.toml, by table. A new key is a new row and nothing else. */
export const CONFIG_SCHEMA = {
  rollback: {
    max_sessions: count({
      fallback: 10,
      minimum: 1,
      maximum: 100_000,
      doc: 'How many rollback sessions with changes are kept; the oldest go first',
    }),
    max_storage_gb: quantity({
      fallback: 5,
      minimum: 0.001,
      maximum: 1_000_000,
      doc: 'How much space all rollback sessions may take together, in units of 1,000,000,000 bytes',
    }),
    max_file_size: size({
      fallback: undefined,
      example: '"10GB"',
      doc: 'Larger files are not stored and listed as skipped; 10 GB by default',
    }),
    max_session_size: size({
      fallback: undefined,
      example: '"50GB"',
      doc: 'What one session may store; the rest is listed as skipped; 50 GB by default',
    }),
    max_entries: count({
      fallback: undefined,
      example: '2_000_000',
      minimum: 1,
      maximum: 1_000_000_000,
      doc: 'How many files and directories one session tracks; the rest is listed as skipped; 2,000,000 by default',
    }),
  },
  ui: {
    detach_sequence: keySequence({ fallback: 'ctrl-] d', doc: 'The keys that detach from a session' }),
  },
  approvals: {
    notify: text({
      fallback: undefined,
      example: '"notify-send nono"',
      doc: 'A shell command that is run for each request, with the request as JSON on its standard input',
    }),
    timeout: count({
      fallback: 300,
      minimum: 1,
      maximum: 604_800,
      doc: 'How long a request waits for an answer before it is denied, in seconds',
    }),
  },
  history: {
    scrollback_lines: count({
      fallback: 10_000,
      minimum: 0,
      maximum: 100_000,
      doc: 'How many lines that left the screen a session keeps; fewer of a terminal of more than 500 columns',
    }),
  },
} as const satisfies Schema;

/** Tables of settings, by the names of the file. */
export type Schema = Readonly<Record<string, Readonly<Record<string, Setting<unknown>>>>>;

/** What a file means once read: every key has its value or its fallback. */
export type Settings<Of extends Schema> = {
  readonly [Table in keyof Of]: {
    readonly [Key in keyof Of[Table]]: Of[Table][Key] extends Setting<infer Value> ? Value : never;
  };
};

export type Config = Settings<typeof CONFIG_SCHEMA>;
