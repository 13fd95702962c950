/** The only version that this code speaks (PROTOCOL.md). */
export const PROTOCOL_VERSION = 1;
/** Before each payload. */
export const HEADER_BYTES = 8;
/** Far above what any frame needs, far below what would hurt to keep for a client that sends a piece of it. */
export const PAYLOAD_BYTES_MAXIMUM = 256 * 1024;

/** Numbers of PROTOCOL.md. Add numbers, never reuse one. */
export const FRAME = {
  hello: 1,
  data: 2,
  resize: 3,
  detach: 4,
  request: 5,
  typedFence: 6,
  shownAnswer: 7,
  welcome: 16,
  output: 17,
  redraw: 18,
  exit: 19,
  error: 20,
  answer: 21,
  progress: 22,
  stopped: 23,
  content: 24,
  shownFence: 25,
  typedAnswer: 26,
} as const;
export type FrameType = (typeof FRAME)[keyof typeof FRAME];

/** What is between two headers. */
export interface Frame {
  readonly type: FrameType;
  readonly payload: Uint8Array;
}

/** What the other side sent is not the protocol: its connection ends. */
export class ProtocolError extends Error {}

const TYPES: ReadonlySet<number> = new Set(Object.values(FRAME));

/** @throws {RangeError} when the payload is longer than a frame may be. */
export function encodeFrame({ type, payload }: Frame): Uint8Array {
  if (payload.length > PAYLOAD_BYTES_MAXIMUM)
    throw new RangeError(`A frame holds ${PAYLOAD_BYTES_MAXIMUM} bytes, not ${payload.length}`);
  const bytes = new Uint8Array(HEADER_BYTES + payload.length);
  bytes[0] = PROTOCOL_VERSION;
  bytes[1] = type;
  new DataView(bytes.buffer).setUint32(4, payload.length, true);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

/** Finds the frames in a stream that arrives in pieces of any length. After it threw once it is not to be used again. */
export class FrameDecoder {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerLength = 0;
  #payload: Uint8Array | undefined;
  #payloadLength = 0;

  /**
   * The frames that are complete with `data`. Their payloads are copies.
   *
   * @throws {ProtocolError} at the first byte that cannot be of a frame; frames before it are given first.
   */
  *push(data: Uint8Array): Generator<Frame, void, undefined> {
    for (let at = 0; at < data.length; ) {
      at += this.#payload === undefined ? this.#takeHeader(data, at) : this.#takePayload(this.#payload, data, at);
      const frame = this.#complete();
      if (frame !== undefined) yield frame;
    }
  }

  /** False while a part of a frame has come. */
  get isBetweenFrames(): boolean {
    return this.#headerLength === 0;
  }

  #takeHeader(data: Uint8Array, at: number): number {
    const piece = data.subarray(at, at + HEADER_BYTES - this.#headerLength);
    this.#header.set(piece, this.#headerLength);
    this.#headerLength += piece.length;
    checkHeader(this.#header, this.#headerLength);
    if (this.#headerLength === HEADER_BYTES) this.#payload = new Uint8Array(payloadLength(this.#header));
    return piece.length;
  }

  #takePayload(payload: Uint8Array, data: Uint8Array, at: number): number {
    const piece = data.subarray(at, at + payload.length - this.#payloadLength);
    payload.set(piece, this.#payloadLength);
    this.#payloadLength += piece.length;
    return piece.length;
  }

  #complete(): Frame | undefined {
    const payload = this.#payload;
    if (payload === undefined || this.#payloadLength < payload.length) return undefined;
    this.#headerLength = 0;
    this.#payload = undefined;
    this.#payloadLength = 0;
    return { type: this.#header[1] as FrameType, payload };
  }
}

/** Looks at as much as is there: a stream of something else is refused by its first byte. */
function checkHeader(header: Uint8Array, length: number): void {
  if (length > 0 && header[0] !== PROTOCOL_VERSION)
    throw new ProtocolError(`version ${String(header[0])} of the protocol, expected ${PROTOCOL_VERSION}`);
  if (length > 1 && !TYPES.has(header[1] ?? 0)) throw new ProtocolError(`no frame has the type ${String(header[1])}`);
  if ((length > 2 && header[2] !== 0) || (length > 3 && header[3] !== 0))
    throw new ProtocolError('the reserved bytes of a frame are not zero');
  if (length === HEADER_BYTES && payloadLength(header) > PAYLOAD_BYTES_MAXIMUM)
    throw new ProtocolError(`a frame of ${payloadLength(header)} bytes, expected at most ${PAYLOAD_BYTES_MAXIMUM}`);
}

function payloadLength(header: Uint8Array): number {
  return new DataView(header.buffer, header.byteOffset).getUint32(4, true);
}
