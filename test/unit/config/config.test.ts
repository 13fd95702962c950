import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromText } from '../../../src/bytes.ts';
import { loadConfig } from '../../../src/config/config.ts';
import { configPath } from '../../../src/config/config-path.ts';

const FILE = '~/.config/nono/config.toml';

describe('loadConfig()', () => {
  test('gives every fallback for an empty file', () => {
    expect(loadConfig('', FILE)).toEqual({
      rollback: {
        max_sessions: 10,
        max_storage_gb: 5,
        max_file_size: undefined,
        max_session_size: undefined,
        max_entries: undefined,
      },
      ui: { detach_sequence: ['ctrl-]', 'd'] },
      approvals: { notify: undefined, timeout: 300 },
      history: { scrollback_lines: 10_000 },
    });
  });

  test('reads every key', () => {
    const text = `
      [rollback]
      max_sessions = 3
      max_storage_gb = 0.5
      max_file_size = "2GiB"
      max_session_size = 1_000_000
      max_entries = 50000
      [ui]
      detach_sequence = "Ctrl-A  esc é"
      [approvals]
      notify = "notify-send nono"
      timeout = 60
      [history]
      scrollback_lines = 0
    `;
    expect(loadConfig(text, FILE)).toEqual({
      rollback: {
        max_sessions: 3,
        max_storage_gb: 0.5,
        max_file_size: 2 ** 31,
        max_session_size: 1_000_000,
        max_entries: 50_000,
      },
      ui: { detach_sequence: ['ctrl-a', 'esc', 'é'] },
      approvals: { notify: 'notify-send nono', timeout: 60 },
      history: { scrollback_lines: 0 },
    });
  });

  test.for([
    ['512MB', 512_000_000],
    ['512 mb', 512_000_000],
    ['1.5KiB', 1536],
    ['0B', 0],
    ['2TB', 2e12],
  ] as const)('takes %j as a size', ([written, bytes]) => {
    expect(loadConfig(`rollback.max_file_size = "${written}"`, FILE).rollback.max_file_size).toBe(bytes);
  });

  const SEQUENCE =
    'expected two or more keys separated by spaces, each a single character, esc, tab, enter, space or ctrl-X, such as "ctrl-] d"';
  const SIZE = 'expected a number of bytes, or a text such as "512MB" or "2GiB"';
  test.for([
    ['[rolback]\nx = 1', '1: unknown key "rolback", did you mean "rollback"?'],
    ['[rollback]\n\nmax_sesions = 1', '3: unknown key "max_sesions", did you mean "max_sessions"?'],
    ['max_sessions = 1', '1: unknown key "max_sessions", it belongs to [rollback]'],
    ['[ui]\ntimeout = 1', '2: unknown key "timeout", it belongs to [approvals]'],
    ['[ui]\ncolours = 1', '2: unknown key "colours"'],
    ['[constructor]', '1: unknown key "constructor"'],
    ['"x\\ny" = 1', '1: unknown key "x\\ny"'],
    ['rollback = 1', '1: cannot use 1 for "rollback": expected a table, write [rollback]'],
    ['[[rollback]]', '1: cannot use an array for "rollback": expected a table, write [rollback]'],
    ['[rollback]\nmax_sessions = "ten"', '2: cannot use "ten" for "max_sessions": expected a whole number from 1 to 100000'],
    ['[rollback]\nmax_sessions = 0', '2: cannot use 0 for "max_sessions": expected a whole number from 1 to 100000'],
    ['[rollback]\nmax_sessions = 1.5', '2: cannot use 1.5 for "max_sessions": expected a whole number from 1 to 100000'],
    ['[rollback]\nmax_storage_gb = nan', '2: cannot use NaN for "max_storage_gb": expected a number from 0.001 to 1000000'],
    ['[rollback]\nmax_storage_gb = -1', '2: cannot use -1 for "max_storage_gb": expected a number from 0.001 to 1000000'],
    ['[rollback]\nmax_file_size = "2 gigs"', `2: cannot use "2 gigs" for "max_file_size": ${SIZE}`],
    ['[rollback]\nmax_file_size = -1', `2: cannot use -1 for "max_file_size": ${SIZE}`],
    ['[rollback]\nmax_file_size = [1]', `2: cannot use an array for "max_file_size": ${SIZE}`],
    ['[ui]\ndetach_sequence = "ctrl-]"', `2: cannot use "ctrl-]" for "detach_sequence": ${SEQUENCE}`],
    ['[ui]\ndetach_sequence = "ctrl-1 d"', `2: cannot use "ctrl-1 d" for "detach_sequence": ${SEQUENCE}`],
    ['[ui]\ndetach_sequence = "escape d"', `2: cannot use "escape d" for "detach_sequence": ${SEQUENCE}`],
    ['[approvals]\nnotify = " "', '2: cannot use " " for "notify": expected a text that is not empty'],
    ['[approvals]\nnotify = true', '2: cannot use true for "notify": expected a text that is not empty'],
    ['[approvals]\ntimeout = 2020-01-01', '2: cannot use 2020-01-01 for "timeout": expected a whole number from 1 to 604800'],
  ] as const)('refuses %j', ([text, message]) => {
    expect(() => loadConfig(text, FILE)).toThrow(expect.objectContaining({ message: `${FILE}:${message}`, code: 'E_CONFIG' }));
  });

  test('reports every problem, in the order of the lines', () => {
    const text = '[history]\nscrollback_lines = -1\n[rollback]\nmax_sessions = 0\n[u]\n';

    expect(() => loadConfig(text, 'c')).toThrow(
      expect.objectContaining({
        message: expect.stringMatching(/^c:2: cannot .*\nc:4: cannot .*\nc:5: unknown key "u", did you mean "ui"\?$/),
      }),
    );
  });
});

describe('configPath()', () => {
  const home = bytesFromText('/home/ann');
  const at = (value: string | undefined): Bytes =>
    configPath(new Map(value === undefined ? [] : [[bytesFromText('XDG_CONFIG_HOME'), bytesFromText(value)]]), home);

  test.for([
    [undefined, '/home/ann/.config/nono/config.toml'],
    ['/etc/xdg', '/etc/xdg/nono/config.toml'],
    ['', '/home/ann/.config/nono/config.toml'],
    ['relative', '/home/ann/.config/nono/config.toml'],
  ] as const)('with XDG_CONFIG_HOME %j is %s', ([value, path]) => {
    expect(at(value)).toBe(path);
  });
});
