import { describe, expect, test } from 'vitest';
import {
  ConfigError,
  DamageError,
  describeFailure,
  EXIT,
  isErrno,
  NonoError,
  NotFoundError,
  StateError,
  SystemError,
  TOO_MANY_PROCESSES,
  UsageError,
} from '../../src/errors.ts';

describe('describeFailure()', () => {
  test.for([
    { error: new UsageError('Cannot x'), text: 'Error: Cannot x [E_USAGE]', exitCode: 2 },
    { error: new StateError('Cannot x'), text: 'Error: Cannot x [E_STATE]', exitCode: 1 },
    { error: new ConfigError('f:1: y'), text: 'Error: f:1: y [E_CONFIG]', exitCode: 1 },
    { error: new NotFoundError('Cannot x', { hint: 'Try y' }), text: 'Error: Cannot x [E_NOT_FOUND]\nHint: Try y', exitCode: 4 },
    {
      error: new DamageError('Cannot x'),
      text: 'Error: Cannot x [E_DAMAGED]\nHint: See what else is damaged with `nono rollback verify --all`',
      exitCode: 3,
    },
    {
      error: new NonoError('E_EXECUTE', EXIT.cannotExecute, 'Cannot x', { cause: new Error('a', { cause: new Error('b') }) }),
      text: 'Error: Cannot x [E_EXECUTE]\nCaused by: a\nCaused by: b',
      exitCode: 126,
    },
    {
      error: new StateError('Cannot x', { cause: new SyntaxError("Unrecognized token '\u001b' ü\n") }),
      text: "Error: Cannot x [E_STATE]\nCaused by: Unrecognized token '\\x1b' ü\\n",
      exitCode: 1,
    },
    {
      error: Object.assign(new Error('An error was suppressed'), {
        name: 'SuppressedError',
        error: new SystemError('unlinkat', 'ENOENT'),
        suppressed: new StateError('Cannot x'),
      }),
      text: 'Error: Cannot x [E_STATE]',
      exitCode: 1,
    },
    {
      error: new SystemError('mkdirat', 'ENOENT', '/home/u/.nono/rollbacks/20261122-101010-1/snapshots/tmp-0'),
      text: expect.stringMatching(/^Error: Cannot go on: somebody has removed .* \[E_STATE\]\nCaused by: mkdirat/) as string,
      exitCode: 1,
    },
    { error: 'just text', text: 'Internal error: just text', exitCode: 125 },
    { error: 'a\u001b[1m\nb', text: 'Internal error: a\\x1b[1m\nb', exitCode: 125 },
    { error: undefined, text: 'Internal error: undefined', exitCode: 125 },
  ])('says $text', ({ error, text, exitCode }) => {
    expect(describeFailure(error)).toEqual({ text, exitCode });
  });

  test('shows where a bug is', () => {
    const { text, exitCode } = describeFailure(new TypeError('x is not a function'));

    expect(text).toMatch(/^Internal error: TypeError: x is not a function\n\s+at /);
    expect(exitCode).toBe(EXIT.nonoFailed);
  });
});

describe('describeFailure() of what the system refused', () => {
  test.for(['clone', 'posix_spawn'])('names the limit that keeps %s from making a process', (call) => {
    const { text, exitCode } = describeFailure(new SystemError(call, 'EAGAIN'));

    expect(text).toBe(`Error: Cannot start a process [E_SYSTEM]\nCaused by: ${call}: EAGAIN\nHint: ${TOO_MANY_PROCESSES}`);
    expect(exitCode).toBe(EXIT.failure);
  });

  test.for([
    { errno: 'ENAMETOOLONG', code: 'E_PATH' },
    { errno: 'ELOOP', code: 'E_PATH' },
    { errno: 'EACCES', code: 'E_PATH' },
    { errno: 'EPERM', code: 'E_PATH' },
    { errno: 'ENOSPC', code: 'E_SYSTEM' },
  ])('explains $errno, and names the path', ({ errno, code }) => {
    const { text, exitCode } = describeFailure(new SystemError('openat', errno, '/x'));

    expect(text).toMatch(new RegExp(`^Error: Cannot .* \\[${code}\\]\nCaused by: openat "/x": ${errno}\nHint: `));
    expect(exitCode).toBe(EXIT.failure);
  });
});

test('names the limit where the runtime itself could open nothing more', () => {
  const thrown = Object.assign(new Error('EMFILE: too many open files, fcntl'), { code: 'EMFILE', syscall: 'fcntl' });

  const { text, exitCode } = describeFailure(thrown);

  expect(text).toMatch(/^Error: Cannot go on \[E_SYSTEM\]\nCaused by: fcntl: EMFILE\nHint: .*ulimit -n/);
  expect(exitCode).toBe(EXIT.failure);
});

test('what is read of the kernel below /proc, and is not to be seen, is no bug of nono', () => {
  const { text, exitCode } = describeFailure(new SystemError('open', 'ENOENT', '/proc/sys/kernel/random/boot_id'));

  expect(text).toMatch(
    /^Error: Cannot go on \[E_SYSTEM\]\nCaused by: open "\/proc\/sys\/kernel\/random\/boot_id": ENOENT\nHint: Mount \/proc whole/,
  );
  expect(exitCode).toBe(EXIT.failure);
});

test('a file system that can only be read is not taken for a full one', () => {
  const { text, exitCode } = describeFailure(new SystemError('unlinkat', 'EROFS', '/x'));

  expect(text).toMatch(
    /^Error: Cannot go on \[E_SYSTEM\]\nCaused by: unlinkat "\/x": EROFS\nHint: The file system can only be read: /,
  );
  expect(exitCode).toBe(1);
});

test.for(['ENOLCK', 'ENOSYS', 'EOPNOTSUPP'])('a file system without locks (%s) is no bug of nono', (errno) => {
  const { text, exitCode } = describeFailure(new SystemError('flock', errno, '/x'));

  expect(text).toMatch(
    new RegExp(`^Error: Cannot go on: .* has no locks \\[E_STATE\\]\nCaused by: flock "/x": ${errno}\nHint: Set NONO_HOME`),
  );
  expect(exitCode).toBe(EXIT.failure);
  expect(describeFailure(new SystemError('openat', 'ENOSYS', '/x')).exitCode).toBe(EXIT.nonoFailed);
});

test.for(['EPERM', 'EOPNOTSUPP'])('a file system without sockets (%s) is told from one that may not be written', (errno) => {
  const { text } = describeFailure(new SystemError('bind', errno));
  expect(text).toMatch(
    new RegExp(`^Error: Cannot go on: .* has no sockets \\[E_STATE\\]\nCaused by: bind: ${errno}\nHint: Set NONO_HOME`),
  );
  expect(describeFailure(new SystemError('openat', 'EPERM', '/x')).text).toContain('[E_PATH]');
});

describe('SystemError', () => {
  test('names the call, the path and the errno', () => {
    const error = new SystemError('openat', 'ENOENT', '/x');

    expect(error.message).toBe('openat "/x": ENOENT');
    expect(isErrno(error, 'EPERM', 'ENOENT')).toBe(true);
    expect(isErrno(error, 'EPERM')).toBe(false);
  });

  test('is told from other errors', () => {
    expect(isErrno(Object.assign(new Error('x'), { code: 'ENOENT' }), 'ENOENT')).toBe(false);
  });
});
