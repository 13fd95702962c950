import { encodeFrame, type FrameType, ProtocolError } from './protocol.ts';

const TEXT_MAXIMUM = 4096;

/** A payload that is a document. */
export type PayloadFields = Readonly<Record<string, unknown>>;

/** A frame with one JSON object in UTF-8. */
export function documentFrame(type: FrameType, value: PayloadFields): Uint8Array {
  return encodeFrame({ type, payload: new TextEncoder().encode(JSON.stringify(value)) });
}

/** @returns `message`. @throws {ProtocolError} unless the payload is empty. */
export function empty<Message>(payload: Uint8Array, message: Message): Message {
  if (payload.length > 0) throw new ProtocolError('a payload in a frame that has none');
  return message;
}

/** @throws {ProtocolError} unless the payload is one JSON object. */
export function fields(payload: Uint8Array): PayloadFields {
  const value = parseJson(payload);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new ProtocolError('a document is no object');
  return value as PayloadFields;
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError)
      throw new ProtocolError('a document is no JSON in UTF-8', { cause: error });
    throw error;
  }
}

/** @throws {ProtocolError} unless the field is a text of at most 4096 units. */
export function text(document: PayloadFields, name: string): string {
  return checkText(document[name], name);
}

/** @param name Of the field, for the message. @throws {ProtocolError} */
export function checkText(value: unknown, name: string): string {
  if (typeof value === 'string' && value.length <= TEXT_MAXIMUM) return value;
  throw wrong(name);
}

/** Both ends included. @throws {ProtocolError} */
export function wholeNumber(document: PayloadFields, name: string, maximum: number, minimum = 0): number {
  const value = document[name];
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= minimum && value <= maximum) return value;
  throw wrong(name);
}

/** @throws {ProtocolError} unless the field is one of `words`. */
export function oneOf<Word extends string>(document: PayloadFields, name: string, words: readonly Word[]): Word {
  const word = words.find((candidate) => candidate === document[name]);
  if (word === undefined) throw wrong(name);
  return word;
}

export function wrong(name: string): ProtocolError {
  return new ProtocolError(`the field "${name}" of a document is missing or wrong`);
}
