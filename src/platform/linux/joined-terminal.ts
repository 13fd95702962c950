import type { Shortcut } from '../../ports/shortcut.ts';
import type { JoinedConnection, TerminalHandlers } from '../../ports/user-terminal.ts';
import { isLender } from './relay/lent-socket.ts';
import { type Relay, startRelay } from './relay/relay.ts';
import { addressOf, fixedBuffer, syscall, trySyscall } from './syscalls.ts';
import * as uapi from './uapi.ts';

/** struct statx of include/uapi/linux/stat.h: stx_ino; stx_rdev and stx_dev, major and minor. */
const STATX_BYTES = 256;
const INODE_AT = 32;
const NUMBERS_AT = 128;
const FIRST_DESCRIPTOR = 3;
const JOIN_AFTER_MS = 50;

/**
 * A way beside the loop between the terminal and a connection. It is there when the first key comes, or in a moment: the loop gets a drawing sooner without.
 *
 * @param ends Where what is typed is read, by a file description of its own, and where what is shown goes.
 * @returns undefined where those are two, or the system refuses what a relay needs.
 */
export function joinTerminal(
  { input, output }: { readonly input: number; readonly output: number },
  { onInput, onEnd }: TerminalHandlers,
  { connection, isPlain, onIdle }: JoinedConnection,
): { readonly relay: Relay; readonly shortcut: Shortcut } | undefined {
  if (!isLender(connection) || !isSameTerminal(input, output)) return undefined;
  let joined: Shortcut | undefined;
  const join = (): void => {
    if (timer === undefined) return;
    clearTimeout(timer);
    timer = undefined;
    joined = relay?.join(connection, isPlain, onIdle);
    onIdle();
  };
  let timer: ReturnType<typeof setTimeout> | undefined = setTimeout(join, JOIN_AFTER_MS);
  const onTerminal = (data: Uint8Array): void => {
    // First: once joined, what is typed next may pass it by.
    onInput(data);
    join();
  };
  const relay = startRelay(syscall('fcntl', input, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR), {
    isSession: false,
    handlers: { onTerminal, onTerminalEnd: onEnd, onRoom: () => undefined, onStuck: () => undefined },
  });
  if (relay === undefined) {
    clearTimeout(timer);
    return undefined;
  }
  const shortcut: Shortcut = {
    open: (directions) => joined?.open(directions),
    close: () => joined?.close(),
    isFenceDue: () => joined?.isFenceDue() ?? false,
    sendFence: (frame) => joined?.sendFence(frame) ?? false,
    fenceAnswered: (isLast) => joined?.fenceAnswered(isLast),
    answerFence: (frame) => joined?.answerFence(frame) ?? false,
    [Symbol.dispose]() {
      clearTimeout(timer);
      timer = undefined;
      joined?.[Symbol.dispose]();
    },
  };
  return { relay, shortcut };
}

/** Bytes of one go to where those of the other go. */
function isSameTerminal(a: number, b: number): boolean {
  const [first, second] = [fileOf(a), fileOf(b)];
  return first !== undefined && first === second;
}

/** Its inode, number, and where that is; undefined where nothing tells. */
function fileOf(descriptor: number): string | undefined {
  const found = fixedBuffer(STATX_BYTES);
  const path = Buffer.from('\0');
  const result = trySyscall('statx', descriptor, addressOf(path), uapi.AT_EMPTY_PATH, uapi.STATX_BASIC_STATS, addressOf(found));
  if (result < 0) return undefined;
  return Buffer.concat([found.subarray(INODE_AT, INODE_AT + 8), found.subarray(NUMBERS_AT, NUMBERS_AT + 16)]).toString('hex');
}
