import type { Statement } from './bpf.ts';
import { and, errnoLabel, is, jump, label, loadArgument, switchOn } from './bpf-words.ts';
import {
  type CallName,
  O_ACCMODE,
  O_BESIDE,
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
  ];
}

/**
 * Opens that are looked at by their flags: those with the third access mode, for which Landlock asks nothing, since such a descriptor neither
 * reads nor writes (get_required_file_open_access() of security/landlock/fs.c), though devices are opened by it; those that
 * truncate, where Landlock does not look; and those to read and write without more, by which programs open the terminals that they make.
 *
 * @param terminals Where the last go; undefined for nowhere.
 */
export function openBlocks(abi: number, terminals: string | undefined): readonly (readonly [CallName, readonly Statement[]])[] {
  const block = (flags: number): readonly Statement[] => [
    ...(abi >= ABI_WITH_TRUNCATE ? [] : truncatingOpen(flags)),
    label(`open-${flags}`),
    loadArgument(flags),
    ...(terminals === undefined ? [] : [and(~O_BESIDE >>> 0), is('equal', O_RDWR, { yes: terminals })]),
    and(O_ACCMODE),
    is('equal', O_ACCMODE, { yes: errnoLabel('EACCES') }),
    jump('allow'),
  ];
  return [
    ['open', block(1)],
    ['openat', block(2)],
  ];
}

function truncatingOpen(flags: number): readonly Statement[] {
  return [
    loadArgument(flags),
    is('anyBit', O_TRUNC, { no: `open-${flags}` }),
    and(O_ACCMODE),
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
    label(`ioctl-above-${last}`),
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
