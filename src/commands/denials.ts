import { displayBytes } from '../bytes.ts';
import { parentPath } from '../paths.ts';
import type { Denial } from '../session/approvals.ts';
import type { CommandEnd } from '../session/live-session.ts';
import { accessWord } from '../session/question.ts';

/** More are only counted. */
const SHOWN_MAXIMUM = 10;

/** What a command that failed was refused, each with the option that would have given it; nothing for one that worked. */
export function denialLines(denials: readonly Denial[], { exitCode }: CommandEnd): readonly string[] {
  if (exitCode === 0 || denials.length === 0) return [];
  const lines = denials.slice(0, SHOWN_MAXIMUM).map((denial) => `Denied: ${accessWord(denial.access)} ${describe(denial)}`);
  const more = denials.length - SHOWN_MAXIMUM;
  return more > 0 ? [...lines, `Denied: ${more} more, see \`nono inspect --events\``] : lines;
}

function describe({ path, access, reason, count }: Denial): string {
  const times = count > 1 ? `, ${count} times` : '';
  const shown = displayBytes(path);
  if (reason === 'sensitive') return `${shown} (a sensitive place${times}; no approval opens it)`;
  if (reason === 'kind') return `${shown} (no file or directory${times}; nobody is asked)`;
  if (reason === 'caller') return `${shown} (by a process with another user, group or root${times}; nobody is asked)`;
  if (reason === 'full') return `${shown} (too many requests at once${times})`;
  return `${shown} (${WHY[reason] ?? 'denied'}${times}; ${optionFor(access)} ${access.create ? displayBytes(parentPath(path)) : shown} gives it)`;
}

const WHY: Readonly<Partial<Record<Denial['reason'], string>>> = {
  deny: 'by your answer',
  deny_session: 'by your answer',
  rule: 'by your answer',
  timeout: 'nobody answered in time',
};

function optionFor({ read, write, connect, create, directory }: Denial['access']): string {
  if (connect) return '--allow-socket';
  const base = (read && write) || create ? '--allow' : write ? '--write' : '--read';
  return directory || create ? base : `${base}-file`;
}
