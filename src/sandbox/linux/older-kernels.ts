import type { Statement } from './bpf.ts';
import { errnoLabel, is, jump, loadArgument, switchOn } from './bpf-words.ts';
import {
  type CallName,
  O_ACCMODE,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
  ORDINARY_IOCTLS,
  SOCKET_IOCTLS,
  TERMINAL_IOCTLS,
} from './seccomp-uapi.ts';

/** The ABI from which on Landlock itself sees to truncating, and to ioctl on devices. */
const ABI_WITH_TRUNCATE = 3;
const ABI_WITH_IOCTL = 5;

/**
 * Calls that Landlock has no right for yet. A file is truncated by a descriptor that is open for writing, which
 * Landlock did check, by its path, or by opening it with O_TRUNC, which takes no right to write when the access
 * mode has none: the last two are refused. openat2(2) has its flags behind a pointer, and programs that use it
 * know of kernels that lack it.
 */
export function truncateBlocks(abi: number): readonly (readonly [CallName, readonly Statement[]])[] {
  if (abi >= ABI_WITH_TRUNCATE) return [];
  return [
    ['truncate', [jump(errnoLabel('EACCES'))]],
    ['openat2', [jump(errnoLabel('ENOSYS'))]],
    ['open', openBlock(1)],
    ['openat', openBlock(2)],
  ];
}

function openBlock(flagsArgument: number): readonly Statement[] {
  return [
    loadArgument(flagsArgument),
    is('anyBit', O_TRUNC, { no: 'allow' }),
    { kind: 'and', constant: O_ACCMODE },
    is('equal', O_WRONLY, { yes: 'allow' }),
    is('equal', O_RDWR, { yes: 'allow' }),
    jump(errnoLabel('EACCES')),
  ];
}

/** What follows on the commands that are always refused: all of them, or those of files, sockets and terminals alone. */
export function otherIoctls(abi: number): readonly Statement[] {
  if (abi >= ABI_WITH_IOCTL) return [jump('allow')];
  const within = ([first, last]: readonly [number, number]): readonly Statement[] => [
    is('greater', last, { yes: `ioctl-above-${last}` }),
    is('atLeast', first, { yes: 'allow' }),
    { kind: 'label', name: `ioctl-above-${last}` },
  ];
  return [
    ...within(TERMINAL_IOCTLS),
    ...within(SOCKET_IOCTLS),
    ...switchOn(
      'ioctl-ordinary',
      ORDINARY_IOCTLS.map((command) => [command, 'allow']),
      errnoLabel('ENOTTY'),
    ),
  ];
}
