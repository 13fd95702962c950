import { SystemError } from '../../../errors.ts';
import { makeMemory, makeSharedMemory, mapSharedMemory } from '../memory-file.ts';
import { syscall, trySyscall } from '../syscalls.ts';
import { isTerminal } from '../terminal.ts';
import * as uapi from '../uapi.ts';
import { openAgain, openFarTerminal, sendDescriptors } from './descriptors.ts';
import type { LentSocket } from './lent-socket.ts';
import { Permit } from './permit.ts';
import type { RelayMemory } from './relay-memory.ts';

/** Of `isDirect`: the other side is asked whether it has all that the connection was given. */
const IS_ASKED = 2;
const IS_OPEN = 1;
const PERMIT_NAME = 'nono-permit';
const TYPED_NAME = 'nono-typed';
const TYPED_BYTES = 4096;
const NOWHERE = -1;
const FIRST_DESCRIPTOR = 3;
/** A session does not keep others waiting for a client; nobody waits for a client, and what is drawn too late is on the user's shell. */
const PATIENCE_OF_SESSION_MS = 2;
const PATIENCE_OF_CLIENT_MS = 200;
/** More since it was last tried to ask is a flood, which is passed on better by who can keep what a terminal does not take. */
const FLOOD_BYTES = 4096;

export interface DirectEnds {
  readonly memory: RelayMemory;
  readonly isSession: boolean;
  readonly terminal: number;
  /** A descriptor of the connection, and whose it is. */
  readonly wire: number;
  readonly socket: LentSocket;
  /** The connection has not taken all that the thread was to give it. */
  readonly isPending: () => boolean;
}

/**
 * Two relays that are joined by one connection hand each other their terminals: each thread then writes what is plain to the far one by itself, and the
 * process there need not wake up. Whose terminal it is withdraws a permit for that, before it does anything with it that must not be overtaken. The session makes
 * the permits: nobody else can make it wait for one.
 */
export class DirectWay implements Disposable {
  readonly #ends: DirectEnds;
  /** For the other side, to write to this terminal. */
  #permit: Permit | undefined;
  /** What the other side is sent of both, and the memory for when it has read a key; none where they could not be made. */
  #permits: readonly number[] | undefined;
  #isWithdrawn = false;
  #hasGiven = false;
  /** Where there is no far terminal, and will be none. */
  #isHopeless = false;
  #cameBytes = 0;
  readonly #owned: number[] = [];
  /** Memory that both sides have. */
  #typedAt: number | undefined;

  constructor(ends: DirectEnds) {
    this.#ends = ends;
  }

  get isFenceDue(): boolean {
    const { memory, isSession, isPending, socket } = this.#ends;
    // The other side can only give its terminal when it has got the permits.
    const isPossible = !this.#isHopeless && (this.#hasGiven || !isSession);
    const isOpen = memory.get('isDirect') === 0 && memory.get('fromTerminal') === 1;
    // Who reads nothing is not asked, and not tried again and again.
    return isPossible && isOpen && !isPending() && socket.queuedBytes() === 0;
  }

  /** So much came from this terminal. */
  came(bytes: number): void {
    this.#cameBytes += bytes;
  }

  /** Asks by this frame whether all before it was taken. Nothing is sent when something is still on its way. */
  sendFence(frame: Uint8Array): boolean {
    const { memory, socket } = this.#ends;
    return memory.locked(() => {
      const isFlood = this.#cameBytes > FLOOD_BYTES;
      this.#cameBytes = 0;
      if (isFlood || !this.isFenceDue) return false;
      socket.write(frame);
      memory.set('isDirect', IS_ASKED);
      return true;
    });
  }

  /** @param isLast It is the answer to the last one. */
  fenceAnswered(isLast: boolean): void {
    const { memory } = this.#ends;
    const came = memory.locked(() => this.#takeCame());
    if (memory.get('direct') === NOWHERE && came.length > 0) this.#isHopeless = !this.#accept(came);
    for (const descriptor of came) trySyscall('close', descriptor);
    if (!isLast || memory.get('direct') === NOWHERE) return;
    memory.locked(() => {
      if (memory.get('isDirect') === IS_ASKED) memory.set('isDirect', IS_OPEN);
    });
  }

  /**
   * Says by this frame that all is taken that came before the other side asked; with the first it gives what it takes to write to this terminal.
   *
   * @returns false when something is still on its way, and nothing was sent.
   */
  answerFence(frame: Uint8Array): boolean {
    const { memory, socket, isPending } = this.#ends;
    return memory.locked(() => {
      const isOnItsWay = memory.get('pending') < memory.get('pendingEnd');
      if (isPending() || isOnItsWay || socket.queuedBytes() > 0) return false;
      if (this.#hasGiven) socket.write(frame);
      else this.#hasGiven = this.#giveWith(frame);
      return this.#hasGiven;
    });
  }

  /** Whoever was given this terminal does not write to it any more when this returns. @returns false where it was so before. */
  withdraw(): boolean {
    if (this.#isWithdrawn) return false;
    this.#isWithdrawn = true;
    this.#permit?.withdraw();
    return true;
  }

  /** It may again. */
  give(): void {
    if (!this.#isWithdrawn) return;
    this.#isWithdrawn = false;
    this.#permit?.give();
  }

  /** Something was given to the connection that is to come before what is written directly. */
  isOvertaking(): void {
    const { memory, isSession } = this.#ends;
    if (memory.get('isDirect') === 0) return;
    memory.locked(() => {
      memory.set('isDirect', 0);
      memory.set('isDirectLost', 1);
    });
    // Who asks again is told of output anyway, but not of what is typed.
    if (!isSession) memory.nudge();
  }

  #giveWith(frame: Uint8Array): boolean {
    const { isSession, terminal, wire } = this.#ends;
    if (!isSession) return this.#permit !== undefined && sendDescriptors(wire, frame, [terminal]);
    this.#permits ??= this.#makePermits();
    return this.#permits.length > 0 && sendDescriptors(wire, frame, [terminal, ...this.#permits]);
  }

  /** @returns none where no descriptor is left. */
  #makePermits(): readonly number[] {
    const made: number[] = [];
    try {
      for (let count = 0; count < 2; count++) made.push(makeMemory(PERMIT_NAME));
      made.push(makeSharedMemory(TYPED_NAME, TYPED_BYTES));
      const [own = NOWHERE, theirs = NOWHERE, typed = NOWHERE] = made;
      const kept = syscall('fcntl', own, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
      this.#owned.push(...made);
      this.#ends.memory.set('permit', theirs);
      this.#mapTyped(typed);
      this.#keep(kept);
      return made;
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      for (const descriptor of made) trySyscall('close', descriptor);
      return [];
    }
  }

  #keep(permit: number): void {
    this.#permit = new Permit(permit, this.#ends.isSession ? PATIENCE_OF_SESSION_MS : PATIENCE_OF_CLIENT_MS);
    if (this.#isWithdrawn) this.#permit.withdraw();
  }

  #accept(came: readonly number[]): boolean {
    return this.#ends.isSession ? this.#acceptUsers(came) : this.#acceptSessions(came);
  }

  /** The terminal of a user. */
  #acceptUsers([descriptor = NOWHERE]: readonly number[]): boolean {
    const { peerPid } = this.#ends.socket;
    const far = peerPid === undefined ? undefined : openFarTerminal(descriptor, peerPid);
    if (far === undefined) return false;
    this.#goesTo(far.terminal, far.fares);
    return true;
  }

  /** The terminal of a session, the permit to write to it, the one to write to the user's, and the memory for when a key was read, which older ones do not send. */
  #acceptSessions([terminal = NOWHERE, others = NOWHERE, own = NOWHERE, typed = NOWHERE]: readonly number[]): boolean {
    const permits = [others, own].map((descriptor) => openAgain(descriptor, uapi.O_RDWR));
    const [permit, ownPermit] = permits;
    const direct = trySyscall('fcntl', terminal, uapi.F_DUPFD_CLOEXEC, FIRST_DESCRIPTOR);
    if (permit === undefined || ownPermit === undefined || direct < 0 || !isTerminal(terminal)) {
      for (const opened of [...permits, direct]) if (opened !== undefined && opened >= 0) trySyscall('close', opened);
      return false;
    }
    this.#owned.push(permit);
    this.#ends.memory.set('permit', permit);
    this.#mapTyped(typed);
    this.#keep(ownPermit);
    this.#goesTo(direct, NOWHERE);
    return true;
  }

  /** Where it is told when a key was read: without it, how the client fares is looked up for each echo. */
  #mapTyped(descriptor: number): void {
    this.#typedAt = mapSharedMemory(descriptor, TYPED_BYTES);
    this.#ends.memory.set('typedAt', this.#typedAt ?? 0);
  }

  #goesTo(direct: number, fares: number): void {
    const { memory } = this.#ends;
    this.#owned.push(direct);
    if (fares !== NOWHERE) this.#owned.push(fares);
    memory.locked(() => {
      memory.set('direct', direct);
      memory.set('fares', fares);
    });
  }

  #takeCame(): number[] {
    const { memory } = this.#ends;
    const count = memory.get('cameCount');
    const bytes = memory.bytesOf('came', 0, count * 4);
    memory.set('cameCount', 0);
    return [...new Int32Array(bytes.buffer)];
  }

  [Symbol.dispose](): void {
    const { memory } = this.#ends;
    const came = memory.locked(() => {
      memory.set('isDirect', 0);
      memory.set('direct', NOWHERE);
      memory.set('typedAt', 0);
      return this.#takeCame();
    });
    for (const descriptor of [...came, ...this.#owned.splice(0)]) trySyscall('close', descriptor);
    if (this.#typedAt !== undefined) syscall('munmap', this.#typedAt, TYPED_BYTES);
    this.#typedAt = undefined;
    this.#permit?.void();
    this.#permit = undefined;
    this.#isHopeless = true;
  }
}
