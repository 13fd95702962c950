import { SystemError } from '../../../errors.ts';
import type { OpenDirections, Shortcut } from '../../../ports/shortcut.ts';
import { followDescriptor } from '../channel.ts';
import { addressOf, syscall, trySyscall } from '../syscalls.ts';
import * as uapi from '../uapi.ts';
import { DirectWay } from './direct-way.ts';
import { FRAME_DATA, FRAME_OUTPUT, readAvailable } from './frames.ts';
import type { Lender, LentSocket } from './lent-socket.ts';
import { emptyDown, emptyUp, isUpPending, takeDown, takePendingUp } from './pending.ts';
import { DOWN_BYTES, RelayMemory, UP_BYTES } from './relay-memory.ts';
import type { RelayOptions } from './relay-options.ts';
import { Scratch } from './scratch.ts';

const READ_BYTES = 4096;
const READ_AHEAD_MINIMUM = 2 * READ_BYTES;
const FIRST_DESCRIPTOR = 3;
const NOTHING = new Uint8Array();
/** Of `wantsRoom`, and of what has ended: loop.c says that there is room; it was told. */
const HAS_ROOM = 2;
const IS_TAKEN = 2;

/** @param terminal A descriptor that does not block; the relay's own from now on. @returns undefined where the system refuses what it needs. */
export function startRelay(terminal: number, options: RelayOptions): Relay | undefined {
  const descriptors = new DisposableStack();
  descriptors.adopt(terminal, () => void trySyscall('close', terminal));
  try {
    return new Relay(terminal, options, descriptors);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    descriptors.dispose();
    return undefined;
  }
}

/**
 * Reads a terminal, and a connection that is joined to it, in a thread of a few system calls (loop.c), which passes on what is plain. It has
 * both to itself: whoever else writes to one of them asks first for what is pending. Lives until it is disposed of.
 */
export class Relay implements Disposable {
  readonly #handlers: RelayOptions['handlers'];
  readonly #isSession: boolean;
  readonly #memory: RelayMemory;
  readonly #owned: DisposableStack;
  readonly #scratch: Scratch;
  /** Directions that have been open since anybody looked for what is pending in them. */
  readonly #mayBePending = { up: false, down: false };
  #isGiving = false;
  #isDisposed = false;
  readonly #terminal: number;
  #wire:
    | { readonly descriptor: number; readonly socket: LentSocket; readonly onIdle: () => void; readonly direct: DirectWay }
    | undefined;

  /** @throws {SystemError} */
  constructor(terminal: number, { isSession, handlers }: RelayOptions, owned: DisposableStack) {
    this.#handlers = handlers;
    this.#terminal = terminal;
    this.#isSession = isSession;
    this.#owned = owned;
    this.#memory = new RelayMemory(owned);
    this.#scratch = owned.use(new Scratch(this.#memory));
    const ends = new Int32Array(new ArrayBuffer(8));
    syscall('pipe2', addressOf(new Uint8Array(ends.buffer)), uapi.O_CLOEXEC | uapi.O_NONBLOCK);
    const [told = -1, tell = -1] = ends;
    for (const end of ends) owned.adopt(end, () => void trySyscall('close', end));
    this.#memory.set('tell', tell);
    this.#memory.set('isSession', isSession ? 1 : 0);
    this.#memory.set('frameOut', isSession ? FRAME_OUTPUT : FRAME_DATA);
    this.#memory.set('frameIn', isSession ? FRAME_DATA : FRAME_OUTPUT);
    this.#memory.setTimes(isSession);
    this.#memory.set('terminal', terminal);
    this.#memory.set('wire', -1);
    this.#memory.set('direct', -1);
    this.#memory.set('fares', -1);
    emptyDown(this.#memory);
    this.#memory.start();
    owned.use(followDescriptor(told, () => this.#drain()));
  }

  /**
   * Joins a connection to the terminal.
   *
   * @param isPlain A byte that is typed, or all of a key of the cursor, may pass.
   * @param onIdle All that has come is handled: directions may be opened.
   * @returns undefined for one that cannot be joined, and while another one is.
   */
  join(connection: Lender, isPlain: (typed: string) => boolean, onIdle: () => void): Shortcut | undefined {
    if (this.#wire !== undefined || this.#isDisposed) return undefined;
    const socket = connection.lend({
      takePending: () => {
        this.#wire?.direct.isOvertaking();
        return this.#mayBePending.up ? this.#memory.locked(() => this.#takePendingUp()) : NOTHING;
      },
      giveBack: (hasEnded) => this.#part(hasEnded),
    });
    if (socket === undefined) return undefined;
    const descriptor = trySyscall('fcntl', socket.descriptor, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    // No descriptor is left: all goes by the loop.
    if (descriptor < 0) {
      socket.release();
      return undefined;
    }
    const direct = new DirectWay({
      memory: this.#memory,
      isSession: this.#isSession,
      terminal: this.#terminal,
      wire: descriptor,
      socket,
      isPending: () => isUpPending(this.#memory),
    });
    const wire = { descriptor, socket, onIdle, direct };
    this.#wire = wire;
    this.#memory.locked(() => {
      this.#memory.set('wireEnded', 0);
      emptyDown(this.#memory);
      this.#memory.setSpecial(isPlain);
      this.#setWire(descriptor);
    });
    const ifJoined = (act: () => void): void => {
      if (this.#wire === wire) act();
    };
    return {
      open: (directions) =>
        ifJoined(() => {
          this.#memory.locked(() => this.#open(directions));
          if (directions.toTerminal) direct.give();
          else direct.withdraw();
        }),
      close: () =>
        ifJoined(() => {
          direct.withdraw();
          this.#close();
        }),
      isFenceDue: () => this.#wire === wire && direct.isFenceDue,
      sendFence: (frame) => this.#wire === wire && direct.sendFence(frame),
      fenceAnswered: (isLast) => ifJoined(() => direct.fenceAnswered(isLast)),
      answerFence: (frame) => this.#wire === wire && direct.answerFence(frame),
      [Symbol.dispose]: () => ifJoined(() => this.#part(false)),
    };
  }

  /** What was passed to the terminal and not taken by it: whoever writes to it writes this first. Nothing more passes until it is opened again. */
  takePendingForTerminal(): Uint8Array {
    return this.#mayBePending.down ? this.#memory.locked(() => this.#takePendingDown()) : NOTHING;
  }

  /** Writes to the terminal when nobody else does; @returns what is to be called when that may be again. */
  keepOut(): () => void {
    const { direct } = this.#wire ?? {};
    return direct?.withdraw() === true ? () => direct.give() : () => undefined;
  }

  /** Tells when the terminal takes something again. */
  wantRoom(): void {
    if (this.#isDisposed) return;
    this.#memory.locked(() => this.#memory.set('wantsRoom', 1));
    this.#memory.nudge();
  }

  /** No more than this is read from the terminal before it is given. */
  readAhead(bytes: number): void {
    if (this.#isDisposed) return;
    this.#memory.locked(() => this.#memory.set('upSize', Math.min(UP_BYTES, Math.max(READ_AHEAD_MINIMUM, bytes))));
    this.#memory.nudge();
  }

  /** Neither end is read, and nothing passes, until this is disposed of. */
  hold(): Disposable {
    const isHeld = !this.#memory.isHeld && !this.#isDisposed;
    if (isHeld) this.#memory.hold();
    return {
      [Symbol.dispose]: () => {
        if (!isHeld || this.#isDisposed) return;
        this.#memory.release();
        // Nothing was given meanwhile, and nobody is told twice.
        setImmediate(() => this.#drain());
      },
    };
  }

  /** Gives what has come from the terminal by now. */
  drain(): void {
    this.#give(false);
  }

  [Symbol.dispose](): void {
    if (this.#isDisposed) return;
    this.#part(false);
    this.#isDisposed = true;
    this.#memory.stop();
    this.#owned.dispose();
  }

  #open({ fromTerminal, toTerminal, hasPen = false, isWatched = false }: OpenDirections): void {
    const memory = this.#memory;
    memory.setWatched(isWatched);
    const isWhole = memory.get('wireEnded') === 0;
    const isUpOpen = memory.get('fromTerminal') === 1;
    if (!fromTerminal) memory.set('fromTerminal', 0);
    else if (!isUpOpen && isWhole && memory.get('given') === memory.get('upHead') && !isUpPending(this.#memory)) {
      emptyUp(this.#memory);
      memory.set('fromTerminal', 1);
      this.#mayBePending.up = true;
    }
    // Who has given a terminal puts it back from colours.
    memory.set('hasPen', hasPen || this.#isSession ? 1 : 0);
    if (!toTerminal) memory.set('toTerminal', 0);
    else if (isWhole && memory.get('start') === memory.get('downHead')) {
      memory.set('toTerminal', 1);
      this.#mayBePending.down = true;
    }
  }

  /** Who waits for the connection to take all sees what is pending, too. */
  #close(): void {
    const pending = this.#memory.locked(() => {
      this.#memory.set('toTerminal', 0);
      return this.#takePendingUp();
    });
    if (pending.length > 0) this.#wire?.socket.write(pending);
    if (this.#isSession) this.#give(false);
  }

  #drain(): void {
    this.#give(true);
    this.#wire?.onIdle();
  }

  /** Only what comes from the terminal is given in the midst of something that came from the connection. */
  #give(isAll: boolean): void {
    if (this.#isGiving || this.#memory.isHeld || this.#isDisposed) return;
    this.#isGiving = true;
    const { onTerminal, onTerminalEnd, onRoom, onStuck } = this.#handlers;
    const wire = this.#wire;
    try {
      const { upBytes, passedBytes, pending, hasTerminalEnded, hasRoom, stuck, down, hasWireEnded } = this.#memory.locked(() =>
        this.#take(isAll),
      );
      // First: it may end a frame that the connection has the beginning of, and who is told may write another one.
      if (pending.length > 0) wire?.socket.write(pending);
      if (passedBytes > 0) onTerminal(this.#scratch.part(0, passedBytes), true);
      if (upBytes > passedBytes) onTerminal(this.#scratch.part(passedBytes, upBytes), false);
      if (hasTerminalEnded) onTerminalEnd();
      this.#isGiving = false;
      if (stuck.length > 0) onStuck(stuck);
      if (hasRoom) onRoom();
      if (down.length > 0) wire?.socket.onData(down);
      if (hasWireEnded && this.#wire === wire) wire?.socket.onEnd();
    } finally {
      this.#isGiving = false;
    }
  }

  #take(isAll: boolean) {
    const up = this.#takeUp();
    const hasTerminalEnded = this.#once('terminalEnded');
    if (!isAll) return { ...up, hasTerminalEnded, hasRoom: false, stuck: NOTHING, down: NOTHING, hasWireEnded: false };
    const memory = this.#memory;
    memory.set('isTold', 0);
    memory.set('isDirectLost', 0);
    const wasFull = memory.get('downHead') === DOWN_BYTES;
    const hasRoom = memory.get('wantsRoom') === HAS_ROOM;
    if (hasRoom) memory.set('wantsRoom', 0);
    const isClosed = memory.get('toTerminal') === 0;
    const stuck = isClosed && this.#isSession ? this.#takePendingDown() : NOTHING;
    const down = isClosed ? takeDown(this.#memory) : NOTHING;
    const hasWireEnded = this.#once('wireEnded');
    if (wasFull || stuck.length > 0) memory.nudge();
    return { ...up, hasTerminalEnded, hasRoom, stuck, down, hasWireEnded };
  }

  /** What JavaScript has not had, into the scratch; how much of it has passed. What has long been pending is not left so. */
  #takeUp() {
    const memory = this.#memory;
    const [given, head] = [memory.get('given'), memory.get('upHead')];
    const upBytes = head - given;
    this.#wire?.direct.came(upBytes);
    const passedBytes = this.#isSession ? Math.max(0, memory.get('mine') - given) : 0;
    this.#scratch.take(given, head);
    memory.set('given', head);
    const isPending = isUpPending(this.#memory);
    const size = memory.get('upSize');
    const pending = isPending && (head > size / 2 || !this.#isSession) ? this.#takePendingUp() : NOTHING;
    if (!isPending || pending.length > 0) emptyUp(this.#memory);
    // A full one is not read.
    if (size - head < READ_BYTES) memory.nudge();
    return { upBytes, passedBytes, pending };
  }

  #takePendingDown(): Uint8Array {
    const memory = this.#memory;
    memory.set('toTerminal', 0);
    const pending = memory.down(memory.get('pending'), memory.get('pendingEnd')).slice();
    memory.set('pending', memory.get('pendingEnd'));
    this.#mayBePending.down = false;
    return pending;
  }

  #takePendingUp(): Uint8Array {
    this.#mayBePending.up = false;
    return takePendingUp(this.#memory);
  }

  #part(hasEnded: boolean): void {
    const wire = this.#wire;
    if (wire === undefined) return;
    if (this.#isSession) this.#close();
    wire.direct[Symbol.dispose]();
    this.#wire = undefined;
    const { pending, stuck, down } = this.#memory.locked(() => {
      const stuckBytes = this.#isSession ? this.#takePendingDown() : NOTHING;
      const left = { pending: this.#takePendingUp(), stuck: stuckBytes, down: takeDown(this.#memory) };
      this.#memory.set('toTerminal', 0);
      this.#setWire(-1);
      return left;
    });
    wire.socket.write(pending);
    if (stuck.length > 0) this.#handlers.onStuck(stuck);
    const rest = hasEnded ? readAvailable(wire.descriptor) : NOTHING;
    syscall('close', wire.descriptor);
    if (down.length + rest.length > 0) wire.socket.onData(Buffer.concat([down, rest]));
    wire.socket.release();
  }

  /** Whoever waits for something to happen on the one before holds it open. */
  #setWire(descriptor: number): void {
    this.#memory.set('wire', descriptor);
    this.#memory.set('number', this.#memory.get('number') + 1);
    this.#memory.nudge();
  }

  #once(word: 'terminalEnded' | 'wireEnded'): boolean {
    const isNew = this.#memory.get(word) === 1;
    if (isNew) this.#memory.set(word, IS_TAKEN);
    return isNew;
  }
}
