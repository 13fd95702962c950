import type { TerminalSize } from '../../ports/pty.ts';
import type { TerminalEvents, TerminalHandlers, UserTerminal } from '../../ports/user-terminal.ts';
import { boundedSize } from '../../session/terminal-size.ts';
import { followDescriptor, followShared, writeAll } from './channel.ts';
import { joinTerminal } from './joined-terminal.ts';
import { statFields } from './process-stat.ts';
import type { Relay } from './relay/relay.ts';
import { readUnlessGone } from './small-files.ts';
import { addressOf, fixedBuffer, trySyscall } from './syscalls.ts';
import { rawSettings, readSettings, writeSettings } from './terminal-settings.ts';
import { TerminalStandBy } from './terminal-stand-by.ts';
import * as uapi from './uapi.ts';

const SESSION_FIELD = 3;
const DEVICE_FIELD = 4;
const START_FIELD = 19;

const STDIN = 0;
const STDOUT = 1;
/** include/uapi/asm-generic/ioctls.h */
const TIOCGWINSZ = 0x5413;
const UNKNOWN: TerminalSize = { columns: 0, rows: 0 };

export function openLinuxUserTerminal(): UserTerminal {
  const before = readSettings();
  const own = openAgain();
  const input = own ?? STDIN;
  const following = new DisposableStack();
  const standBy = new TerminalStandBy(before);
  let relay: Relay | undefined;
  let held: Disposable | undefined;
  let isRaw = false;
  const putBack = (): void => {
    standBy.stop();
    // Where it is so already a process in the background would be stopped for it.
    if (isRaw) writeSettings(before);
    isRaw = false;
  };
  return {
    size,
    settings: () => before,
    identity,
    enterRaw() {
      isRaw = true;
      writeSettings(rawSettings(before));
      standBy.start();
      held?.[Symbol.dispose]();
      held = undefined;
    },
    leaveRaw() {
      // What is typed from now on is not for this process.
      held ??= relay?.hold();
      putBack();
    },
    ifKilled: (restore) => standBy.prepare(restore),
    write(data) {
      const pending = relay?.takePendingForTerminal();
      if (pending !== undefined && pending.length > 0) writeAll(STDOUT, pending);
      writeAll(STDOUT, data);
    },
    watch({ onResize, onContinue }: TerminalEvents) {
      process.on('SIGWINCH', onResize);
      process.on('SIGCONT', onContinue);
      following.defer(() => process.off('SIGWINCH', onResize));
      following.defer(() => process.off('SIGCONT', onContinue));
    },
    follow(handlers: TerminalHandlers) {
      const follow = own === undefined ? followShared : followDescriptor;
      following.use(follow(input, (data) => (data.length === 0 ? handlers.onEnd() : handlers.onInput(data))));
    },
    followJoined(handlers, join) {
      const joined = own === undefined ? undefined : joinTerminal({ input: own, output: STDOUT }, handlers, join);
      if (joined === undefined) return undefined;
      following.use(joined.relay);
      following.use(joined.shortcut);
      relay = joined.relay;
      return joined.shortcut;
    },
    [Symbol.dispose]() {
      putBack();
      following.dispose();
      if (own !== undefined) trySyscall('close', own);
    },
  };
}

/**
 * A file description of its own: not to block is a property of that, and the shell shares the one of stdin.
 *
 * @returns undefined for a terminal of another user that does not control this session, as behind `su USER -c`: nobody but that user can open it.
 */
function openAgain(): number | undefined {
  const flags = uapi.O_RDWR | uapi.O_NOCTTY | uapi.O_CLOEXEC | uapi.O_NONBLOCK;
  for (const path of [`/proc/self/fd/${STDIN}`, '/dev/tty']) {
    const name = Buffer.from(`${path}\0`);
    const opened = trySyscall('openat', uapi.AT_FDCWD, addressOf(name), flags);
    if (opened >= 0) return opened;
  }
  return undefined;
}

/** Names of terminals are used again; the process that leads the session on one tells which it is. */
function identity(): string | undefined {
  const [session, device] = [statField('self', SESSION_FIELD), statField('self', DEVICE_FIELD)];
  const started = session === undefined ? undefined : statField(session, START_FIELD);
  return started === undefined ? undefined : [device, session, started].join('-');
}

/** One of statFields(). */
function statField(pid: string, field: number): string | undefined {
  // Who led the session may have left.
  const stat = readUnlessGone(`/proc/${pid}/stat`);
  return stat === undefined ? undefined : statFields(stat)[field];
}

function size(): TerminalSize {
  // struct winsize: rows, columns, two more.
  const data = fixedBuffer(8);
  if (trySyscall('ioctl', STDOUT, TIOCGWINSZ, addressOf(data)) < 0) return boundedSize(UNKNOWN);
  const view = new DataView(data.buffer);
  return boundedSize({ rows: view.getUint16(0, true), columns: view.getUint16(2, true) });
}
