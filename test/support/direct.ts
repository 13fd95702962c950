import { readFileSync } from 'node:fs';
import { writeAll } from '../../src/platform/linux/channel.ts';
import { type Relay, startRelay } from '../../src/platform/linux/relay/relay.ts';
import { syscall } from '../../src/platform/linux/syscalls.ts';
import * as uapi from '../../src/platform/linux/uapi.ts';
import type { Shortcut } from '../../src/ports/shortcut.ts';
import { Fences } from '../../src/session/fences.ts';
import {
  type ClientMessage,
  DIRECT,
  decodeClientMessage,
  encodeServerMessage,
  type ServerMessage,
} from '../../src/session/messages.ts';
import { FrameDecoder } from '../../src/session/protocol.ts';
import { createAttached } from './attached-client.ts';
import { LentConnection, streamEnds } from './joined.ts';
import { openPtyPair, type PtyPair, sitOn } from './pty-pair.ts';
import { waitFor } from './wait.ts';

const ESCAPE = '\x1b';
export const latin1 = (data: Uint8Array): string => Buffer.from(data).toString('latin1');
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
export const copyOf = (descriptor: number): number => syscall('fcntl', descriptor, uapi.F_DUPFD_CLOEXEC, 3);

/** One of two that are joined. */
export interface Side {
  readonly relay: Relay;
  readonly shortcut: Shortcut;
  readonly connection: LentConnection;
}

/** A session: the command's terminal and what passes between it and the connection. */
export class Session implements Side {
  readonly relay: Relay;
  readonly connection: LentConnection;
  readonly shortcut: Shortcut;
  readonly #fences = new Fences({
    ask: (number) => encodeServerMessage({ kind: 'shownFence', number }),
    answer: (number) => encodeServerMessage({ kind: 'typedAnswer', number }),
  });
  readonly #decoder = new FrameDecoder();
  readonly #master: number;
  /** What the client's terminal is to show. */
  wanted = '';

  constructor(master: number, wire: number, peerPid: number) {
    this.#master = copyOf(master);
    this.relay = startRelay(this.#master, {
      isSession: true,
      handlers: {
        onTerminal: (data, isPassed) => {
          this.wanted += latin1(data);
          if (!isPassed) this.send({ kind: 'output', data });
        },
        onTerminalEnd: () => undefined,
        onRoom: () => undefined,
        onStuck: (data) => this.#type(data),
      },
    }) as Relay;
    this.connection = new LentConnection(
      wire,
      { onData: (data) => this.#receive(data), onDrain: () => undefined, onClose: () => undefined },
      peerPid,
    );
    this.shortcut = this.relay.join(
      this.connection,
      (key) => key !== ESCAPE,
      () => this.open(),
    ) as Shortcut;
  }

  open(): void {
    this.shortcut.open({ fromTerminal: true, toTerminal: this.#decoder.isBetweenFrames });
    this.#fences.answer(this.shortcut, () => true);
    this.#fences.isIdle(this.shortcut);
  }

  send(message: ServerMessage): void {
    this.connection.write(encodeServerMessage(message));
  }

  /** Something of its own, behind all that the command has shown. */
  sayOnTerminal(text: string): void {
    this.shortcut.close();
    this.wanted += text;
    this.send({ kind: 'output', data: bytes(text) });
  }

  #receive(data: Uint8Array): void {
    for (const frame of this.#decoder.push(data)) this.#handle(decodeClientMessage(frame));
  }

  #handle(message: ClientMessage): void {
    if (message.kind === 'data') this.#type(message.data);
    else if (message.kind === 'shownAnswer') this.#fences.answered(this.shortcut, message.number);
    else if (message.kind === 'typedFence') this.#fences.asked(message.number);
  }

  #type(data: Uint8Array): void {
    const letIn = this.relay.keepOut();
    writeAll(this.#master, Uint8Array.from(this.relay.takePendingForTerminal()));
    writeAll(this.#master, Uint8Array.from(data));
    letIn();
  }

  stop(): void {
    this.#fences.stop();
    this.relay[Symbol.dispose]();
  }
}

export interface Joined extends AsyncDisposable {
  readonly session: Session;
  readonly client: Side;
  /** Whoever sits at the terminal, and the command. */
  readonly user: PtyPair;
  readonly command: PtyPair;
  /** The process that has the terminal. */
  readonly sitter: number;
  /** The session leaves, and the client too. */
  end(): Promise<void>;
}

/** A client on a terminal of its own, and a session. */
export async function joinSides(capabilities: readonly string[] = [DIRECT]): Promise<Joined> {
  const [user, command] = [openPtyPair(), openPtyPair()];
  const sitter = sitOn(user.slave);
  await waitFor('somebody on the terminal', () => isSeated(sitter.pid));
  const [sessionWire, clientWire] = streamEnds();
  const session = new Session(command.master, sessionWire, sitter.pid);
  let side: { readonly relay: Relay; readonly shortcut: Shortcut } | undefined;
  const { client, link } = createAttached({
    terminal: user.slave,
    wire: clientWire,
    takePending: () => side?.relay.takePendingForTerminal(),
    monotonicMs: () => performance.now(),
    follow: () => undefined,
    followJoined(given, { connection, isPlain, onIdle }) {
      const relay = startRelay(copyOf(user.slave), {
        isSession: false,
        handlers: { onTerminal: given.onInput, onTerminalEnd: given.onEnd, onRoom: () => undefined, onStuck: () => undefined },
      }) as Relay;
      side = { relay, shortcut: relay.join(connection as LentConnection, isPlain, onIdle) as Shortcut };
      return side.shortcut;
    },
  });
  const ended = client.run(link);
  session.send({ kind: 'welcome', sessionId: 'a', name: 'n', status: 'running', capabilities });
  session.open();
  const joined = side;
  if (joined === undefined) throw new Error('The client was not joined');
  let isEnded = false;
  const end = async (): Promise<void> => {
    if (isEnded) return;
    isEnded = true;
    session.shortcut.close();
    session.send({ kind: 'exit', end: { reason: 'detached', rowsBelow: 1 } });
    await ended;
    joined.relay[Symbol.dispose]();
    session.connection.close();
    session.stop();
  };
  return {
    session,
    client: { ...joined, connection: link.connection },
    user,
    command,
    sitter: sitter.pid,
    end,
    async [Symbol.asyncDispose]() {
      await end();
      sitter.kill('SIGKILL');
      await sitter.exited;
      for (const pair of [user, command]) pair[Symbol.dispose]();
    },
  };
}

export function isSeated(pid: number): boolean {
  return /^\d+ \(sleep\) \S \d+ \d+ \d+ [1-9]/.test(statOf(pid));
}

export function statOf(pid: number): string {
  return readFileSync(`/proc/${pid}/stat`, 'latin1');
}
