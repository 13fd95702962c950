import type { TerminalSize } from '../ports/pty.ts';
import { type ControlRequest, decodeRequest, requestFields } from './control-requests.ts';
import { checkText, documentFrame, empty, fields, oneOf, type PayloadFields, text, wholeNumber, wrong } from './payload.ts';
import { encodeFrame, FRAME, type Frame, ProtocolError } from './protocol.ts';
import { CELLS_MAXIMUM, checkSize, decodeSize, encodeSize } from './terminal-size.ts';

const MODES = ['attach', 'steal', 'view', 'control'] as const;
/** What a connection is for. */
export type ClientMode = (typeof MODES)[number];

const NUMBER_BYTES = 4;
const CAPABILITIES_MAXIMUM = 64;
/** A capability: each side can be given the terminal of the other (PROTOCOL.md, "Without the connection"). */
export const DIRECT = 'direct';

export const STATUS_PLACES = ['title', 'row'] as const;
export type StatusPlace = (typeof STATUS_PLACES)[number];

/** What a client sends (PROTOCOL.md, "From the client"). */
export type ClientMessage =
  | {
      readonly kind: 'hello';
      readonly mode: ClientMode;
      readonly size: TerminalSize;
      readonly terminal: string;
      readonly capabilities: readonly string[];
      /** Lines of the history that are wanted; undefined for those that the terminal has not had. */
      readonly history?: number | undefined;
      /** Tells the client's terminal apart from any other, as far as it can. */
      readonly terminalId?: string | undefined;
      /** Where a viewer is told what it looks at. */
      readonly status?: StatusPlace | undefined;
    }
  | { readonly kind: 'data'; readonly data: Uint8Array }
  | { readonly kind: 'resize'; readonly size: TerminalSize }
  | { readonly kind: 'detach' }
  | { readonly kind: 'request'; readonly request: ControlRequest }
  /** Asks whether all that was typed before is taken. */
  | { readonly kind: 'typedFence'; readonly number: number }
  /** All that was shown before the fence is on the terminal. */
  | { readonly kind: 'shownAnswer'; readonly number: number };

const ERROR_CODES = ['busy', 'protocol', 'no_terminal', 'name_taken', 'refused', 'failed'] as const;
export type RefusalCode = (typeof ERROR_CODES)[number];

/** Why a connection ends. */
export type SessionEnd =
  | { readonly reason: 'ended'; readonly exitCode: number; readonly signal: string | null }
  /** `rowsBelow`: so far down from the cursor of the normal screen nothing is to be seen. */
  | { readonly reason: 'detached' | 'stolen' | 'slow'; readonly rowsBelow: number };

/** What a supervisor sends (PROTOCOL.md, "From the supervisor"). */
export type ServerMessage =
  | {
      readonly kind: 'welcome';
      readonly sessionId: string;
      readonly name: string;
      readonly status: string;
      readonly capabilities: readonly string[];
    }
  | { readonly kind: 'output' | 'redraw' | 'content'; readonly data: Uint8Array }
  | { readonly kind: 'exit'; readonly end: SessionEnd }
  | { readonly kind: 'error'; readonly code: RefusalCode; readonly message: string }
  | {
      readonly kind: 'answer';
      readonly status: string;
      readonly attachment: string;
      readonly changed: boolean;
      /** The number of the snapshot that was taken. */
      readonly snapshot?: number | undefined;
    }
  | { readonly kind: 'progress'; readonly message: string }
  | { readonly kind: 'stopped' }
  /** Asks whether all that was shown before is on the terminal. */
  | { readonly kind: 'shownFence'; readonly number: number }
  /** All that was typed before the fence is taken. */
  | { readonly kind: 'typedAnswer'; readonly number: number };

export function encodeClientMessage(message: ClientMessage): Uint8Array {
  switch (message.kind) {
    case 'hello': {
      const { mode, size, terminal, capabilities, history, terminalId, status } = message;
      const { columns, rows } = size;
      return documentFrame(FRAME.hello, {
        mode,
        columns,
        rows,
        terminal,
        capabilities,
        history,
        terminal_id: terminalId,
        status,
      });
    }
    case 'data':
      return encodeFrame({ type: FRAME.data, payload: message.data });
    case 'resize':
      return encodeFrame({ type: FRAME.resize, payload: encodeSize(message.size) });
    case 'detach':
      return encodeFrame({ type: FRAME.detach, payload: new Uint8Array() });
    case 'request':
      return documentFrame(FRAME.request, requestFields(message.request));
    case 'typedFence':
    case 'shownAnswer':
      return encodeFrame({ type: FRAME[message.kind], payload: encodeNumber(message.number) });
  }
}

export function encodeServerMessage(message: ServerMessage): Uint8Array {
  switch (message.kind) {
    case 'welcome':
      return documentFrame(FRAME.welcome, {
        session_id: message.sessionId,
        name: message.name,
        status: message.status,
        capabilities: message.capabilities,
      });
    case 'output':
    case 'redraw':
    case 'content':
      return encodeFrame({ type: FRAME[message.kind], payload: message.data });
    case 'exit': {
      const { end } = message;
      if (end.reason !== 'ended') {
        return documentFrame(FRAME.exit, { reason: end.reason, exit_code: null, signal: null, rows_below: end.rowsBelow });
      }
      return documentFrame(FRAME.exit, { reason: end.reason, exit_code: end.exitCode, signal: end.signal, rows_below: null });
    }
    case 'error':
      return documentFrame(FRAME.error, { code: message.code, message: message.message });
    case 'answer':
      return documentFrame(FRAME.answer, {
        status: message.status,
        attachment: message.attachment,
        changed: message.changed,
        snapshot: message.snapshot ?? null,
      });
    case 'progress':
      return documentFrame(FRAME.progress, { message: message.message });
    case 'stopped':
      return encodeFrame({ type: FRAME.stopped, payload: new Uint8Array() });
    case 'shownFence':
    case 'typedAnswer':
      return encodeFrame({ type: FRAME[message.kind], payload: encodeNumber(message.number) });
  }
}

/** @throws {ProtocolError} for a frame that no client sends. */
export function decodeClientMessage({ type, payload }: Frame): ClientMessage {
  switch (type) {
    case FRAME.hello:
      return decodeHello(fields(payload));
    case FRAME.data:
      return { kind: 'data', data: payload };
    case FRAME.resize:
      return { kind: 'resize', size: decodeSize(payload) };
    case FRAME.detach:
      return empty(payload, { kind: 'detach' });
    case FRAME.request:
      return { kind: 'request', request: decodeRequest(fields(payload)) };
    case FRAME.typedFence:
      return { kind: 'typedFence', number: decodeNumber(payload) };
    case FRAME.shownAnswer:
      return { kind: 'shownAnswer', number: decodeNumber(payload) };
    default:
      throw new ProtocolError(`a client sends no frame of the type ${type}`);
  }
}

/** @throws {ProtocolError} for a frame that no supervisor sends. */
export function decodeServerMessage({ type, payload }: Frame): ServerMessage {
  switch (type) {
    case FRAME.welcome: {
      const document = fields(payload);
      const [sessionId, name, status] = [text(document, 'session_id'), text(document, 'name'), text(document, 'status')];
      const capabilities = document['capabilities'] === undefined ? [] : decodeCapabilities(document);
      return { kind: 'welcome', sessionId, name, status, capabilities };
    }
    case FRAME.output:
      return { kind: 'output', data: payload };
    case FRAME.redraw:
      return { kind: 'redraw', data: payload };
    case FRAME.content:
      return { kind: 'content', data: payload };
    case FRAME.exit:
      return { kind: 'exit', end: decodeEnd(fields(payload)) };
    case FRAME.error: {
      const document = fields(payload);
      return { kind: 'error', code: oneOf(document, 'code', ERROR_CODES), message: text(document, 'message') };
    }
    case FRAME.answer: {
      const document = fields(payload);
      const changed = document['changed'] === true;
      const number = document['snapshot'];
      const snapshot = typeof number === 'number' && Number.isSafeInteger(number) ? number : undefined;
      return { kind: 'answer', status: text(document, 'status'), attachment: text(document, 'attachment'), changed, snapshot };
    }
    case FRAME.progress:
      return { kind: 'progress', message: text(fields(payload), 'message') };
    case FRAME.stopped:
      return empty(payload, { kind: 'stopped' });
    case FRAME.shownFence:
      return { kind: 'shownFence', number: decodeNumber(payload) };
    case FRAME.typedAnswer:
      return { kind: 'typedAnswer', number: decodeNumber(payload) };
    default:
      throw new ProtocolError(`a supervisor sends no frame of the type ${type}`);
  }
}

function decodeHello(document: PayloadFields): ClientMessage {
  return {
    kind: 'hello',
    mode: oneOf(document, 'mode', MODES),
    size: checkSize({
      columns: wholeNumber(document, 'columns', CELLS_MAXIMUM),
      rows: wholeNumber(document, 'rows', CELLS_MAXIMUM),
    }),
    terminal: text(document, 'terminal'),
    capabilities: decodeCapabilities(document),
    history: document['history'] === undefined ? undefined : wholeNumber(document, 'history', Number.MAX_SAFE_INTEGER),
    terminalId: document['terminal_id'] === undefined ? undefined : text(document, 'terminal_id'),
    status: document['status'] === undefined ? undefined : oneOf(document, 'status', STATUS_PLACES),
  };
}

function decodeCapabilities(document: PayloadFields): readonly string[] {
  const capabilities = document['capabilities'];
  if (!Array.isArray(capabilities) || capabilities.length > CAPABILITIES_MAXIMUM) throw wrong('capabilities');
  return capabilities.map((word: unknown) => checkText(word, 'capabilities'));
}

function decodeEnd(document: PayloadFields): SessionEnd {
  const reason = oneOf(document, 'reason', ['ended', 'detached', 'stolen', 'slow'] as const);
  if (reason !== 'ended') return { reason, rowsBelow: wholeNumber(document, 'rows_below', CELLS_MAXIMUM) };
  const signal = document['signal'] === null ? null : text(document, 'signal');
  return { reason, exitCode: wholeNumber(document, 'exit_code', Number.MAX_SAFE_INTEGER), signal };
}

function encodeNumber(number: number): Uint8Array {
  const payload = new Uint8Array(NUMBER_BYTES);
  new DataView(payload.buffer).setUint32(0, number, true);
  return payload;
}

function decodeNumber(payload: Uint8Array): number {
  if (payload.length !== NUMBER_BYTES) throw new ProtocolError(`a number of ${payload.length} bytes, expected ${NUMBER_BYTES}`);
  return new DataView(payload.buffer, payload.byteOffset, payload.length).getUint32(0, true);
}
