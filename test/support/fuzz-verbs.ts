import type { FuzzedState } from './fuzzed-state.ts';
import type { Outcome } from './nono.ts';

const ANY_STATUS = [0, 1, 2, 3, 4];

/** Verbs that only look: whatever they find, nothing but the state may change. */
export function lookers({ sessions: [plain, second], rollbacks: [run, safety] }: FuzzedState): readonly (readonly string[])[] {
  return [
    [],
    ['ps', '--all'],
    ['ps', '--all', '--json'],
    ...[plain, second].flatMap((id) => [
      ['inspect', id],
      ['inspect', '--json', id],
      ['inspect', '--events', id],
      ['audit', 'export', '--json', id],
      ['wait', id],
    ]),
    ['logs', second],
    ['logs', '--ansi', '--tail', '2', second],
    ['logs', '--cast', '-', second],
    ['screen', second],
    ['screen', '--ansi', second],
    ['screen', '--svg', second],
    ['screen', '--json', second],
    ['attach', 'second'],
    ['send', second, 'x'],
    ['stop', second],
    ['rename', second, 'third'],
    ['approvals'],
    ['audit', 'verify', '--all'],
    ['rollback', 'list', '--all'],
    ['rollback', 'list', '--all', '--json'],
    ...[run, safety].flatMap((id) => [
      ['rollback', 'show', id],
      ['rollback', 'show', '--json', id],
      ['rollback', 'show', '--diff', '--no-pager', id],
      ['rollback', 'show', '--side-by-side', '--no-pager', id],
      ['rollback', 'restore', '--dry-run', id],
      ['rollback', 'restore', '--dry-run', '--json', id],
      ['rollback', 'export', '--tar', '-', id],
      ['rollback', 'export', '--html', '-', id],
    ]),
    ['rollback', 'verify', '--all'],
    ['rollback', 'verify', '--all', '--json'],
    ['rollback', 'cleanup', '--dry-run', '--keep', '0'],
    ['prune', '--dry-run'],
    ['profile', 'list'],
    ['profile', 'show', 'mine'],
    ['profile', 'validate'],
    ['config', 'show'],
    ['config', 'validate'],
    ['why', '--profile', 'mine', '/etc/passwd'],
    ['run', '--dry-run', '--allow-cwd', '--profile', 'mine', '--', 'true'],
    ['__complete', '--', 'nono', 'rollback', 'show', ''],
    ['__complete', '--', 'nono', 'attach', ''],
  ];
}

/** Verbs that change the state, or the project. */
export function changers({ rollbacks: [run, safety] }: FuzzedState): readonly (readonly string[])[] {
  return [
    ...[run, safety].flatMap((id) => [
      ['rollback', 'restore', id],
      ['rollback', 'restore', '--force', id],
      ['rollback', 'restore', '--abort', id],
      ['rollback', 'restore', '--keep-conflicts', '--json', id],
    ]),
    ['rollback', 'cleanup', '--all', '--yes'],
    ['rollback', 'cleanup', '--keep', '1', '--json'],
    ['prune'],
    ['run', '--rollback', '--allow-cwd', '--', 'sh', '-c', 'echo more >more'],
  ];
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must never reach a terminal
const CONTROLS_REGEXP = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/;

/** What is wrong with what nono did and said; whatever it finds, it shows no bug's stack and does nothing to the terminal. */
export function whatIsWrong({ status, signal, stdout, stderr }: Outcome, words: readonly string[]): string | undefined {
  if (signal !== null) return `ended by ${signal}`;
  const own = words[0] === 'run' || words[0] === 'wrap' ? [125, 126, 127] : words[0] === 'attach' ? [255] : [];
  // Of a call that plans a run without one, too: what it would be allowed cannot be.
  const isExplained =
    (status === 125 && /^Error: .*\[E_(?:GRANT|HOME)\]$/m.test(stderr)) ||
    (status === 127 && /^Error: .*\[E_COMMAND_NOT_FOUND\]$/m.test(stderr));
  if (!ANY_STATUS.includes(status ?? -1) && !own.includes(status ?? -1) && !isExplained) return `status ${status}`;
  if (/Internal error|^ {4}at /m.test(stderr)) return "a bug's stack";
  const isForTerminals = words.includes('--ansi') || words.includes('--tar') || words[0] === 'run';
  const control = CONTROLS_REGEXP.exec(isForTerminals ? stderr : stdout + stderr)?.[0];
  if (control !== undefined) return `the control character ${JSON.stringify(control)}`;
  return status !== 0 && stdout + stderr === '' ? `status ${status} without a word` : undefined;
}
