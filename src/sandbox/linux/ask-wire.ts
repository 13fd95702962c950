import { type Bytes, bufferFromBytes, bytesFromBuffer } from '../../bytes.ts';
import { ASKED_ACCESS } from './mediation.ts';

/** `struct word` of asked.c: bytes, kind, id (64 bits), access, tid, result, nothing; the path follows. Little-endian. */
const HEADER_BYTES = 32;
const MESSAGE_BYTES_MAXIMUM = 8192;
const TOLD = { asked: 1, gone: 2, refused: 3, done: 4 } as const;
const SAID = { allow: 1, deny: 2, rule: 3 } as const;

/** What a request wants. */
export interface WantedAccess {
  readonly read: boolean;
  readonly write: boolean;
  /** To a socket. */
  readonly connect: boolean;
  /** The file does not exist yet. */
  readonly create: boolean;
  /** It is a directory, to be listed. */
  readonly directory: boolean;
}

/** Why nobody was asked: by the numbers of asked.c. */
export const REFUSALS = ['sensitive', 'kind', 'caller', 'full', 'rule'] as const;
export type Refusal = (typeof REFUSALS)[number];

/** What the mediator tells. */
export type Told =
  | {
      readonly kind: 'asked';
      readonly request: bigint;
      readonly pid: number;
      readonly path: Bytes;
      readonly access: WantedAccess;
    }
  /** The caller is dead. */
  | { readonly kind: 'gone'; readonly request: bigint }
  | {
      readonly kind: 'refused';
      readonly reason: Refusal;
      readonly pid: number;
      readonly path: Bytes;
      readonly access: WantedAccess;
    }
  /** What was allowed has been opened, or why not: an errno, 0 for done. */
  | { readonly kind: 'done'; readonly request: bigint; readonly errno: number };

/** What is held for the rest of the session. */
export interface SessionRule {
  readonly path: Bytes;
  /** With all that is below. */
  readonly isTree: boolean;
  readonly isAllowed: boolean;
  readonly access: Pick<WantedAccess, 'read' | 'write' | 'connect'>;
}

/** Finds the messages in what comes piece by piece. */
export class ToldReader {
  #held: Uint8Array = new Uint8Array();

  /** @throws {RangeError} for what no mediator tells. */
  push(data: Uint8Array): readonly Told[] {
    const bytes = this.#held.length === 0 ? data : Buffer.concat([this.#held, data]);
    const told: Told[] = [];
    let at = 0;
    for (; bytes.length - at >= HEADER_BYTES; ) {
      const view = new DataView(bytes.buffer, bytes.byteOffset + at);
      const length = view.getUint32(0, true);
      if (length < HEADER_BYTES || length > MESSAGE_BYTES_MAXIMUM) throw new RangeError(`A message of ${length} bytes`);
      if (bytes.length - at < length) break;
      const message = decode(view, bytesFromBuffer(bytes.subarray(at + HEADER_BYTES, at + length)));
      if (message !== undefined) told.push(message);
      at += length;
    }
    this.#held = bytes.slice(at);
    return told;
  }
}

function decode(view: DataView, path: Bytes): Told | undefined {
  const kind = view.getUint32(4, true);
  const request = view.getBigUint64(8, true);
  const access = accessOf(view.getUint32(16, true));
  const pid = view.getUint32(20, true);
  const result = view.getInt32(24, true);
  if (kind === TOLD.asked) return { kind: 'asked', request, pid, path, access };
  if (kind === TOLD.gone) return { kind: 'gone', request };
  if (kind === TOLD.refused) return { kind: 'refused', reason: REFUSALS[result - 1] ?? 'kind', pid, path, access };
  return kind === TOLD.done ? { kind: 'done', request, errno: -result } : undefined;
}

function accessOf(bits: number): WantedAccess {
  const has = (bit: number): boolean => (bits & bit) !== 0;
  const { read, write, connect, create, directory } = ASKED_ACCESS;
  return { read: has(read), write: has(write), connect: has(connect), create: has(create), directory: has(directory) };
}

/** The answer to one request. @param request Its id. */
export function encodeVerdict(request: bigint, isAllowed: boolean): Uint8Array {
  return encode(isAllowed ? SAID.allow : SAID.deny, { request });
}

/** What holds for the rest of the session, before anybody is asked. */
export function encodeRule({ path, isTree, isAllowed, access }: SessionRule): Uint8Array {
  const { read, write, connect, tree, forbidden } = ASKED_ACCESS;
  const bits =
    (access.read ? read : 0) |
    (access.write ? write : 0) |
    (access.connect ? connect : 0) |
    (isTree ? tree : 0) |
    (isAllowed ? 0 : forbidden);
  return encode(SAID.rule, { bits, path });
}

function encode(
  kind: number,
  { request = 0n, bits = 0, path = '' as Bytes }: { readonly request?: bigint; readonly bits?: number; readonly path?: Bytes },
): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(HEADER_BYTES + path.length));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, bytes.length, true);
  view.setUint32(4, kind, true);
  view.setBigUint64(8, request, true);
  view.setUint32(16, bits, true);
  bytes.set(bufferFromBytes(path), HEADER_BYTES);
  return bytes;
}
