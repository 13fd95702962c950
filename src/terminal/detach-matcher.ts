import { type Bytes, bufferFromBytes, bytesFromBuffer } from '../bytes.ts';
import { lookForKey, plainBytes } from './key-encodings.ts';

/** A sequence that was begun reaches the command when it is not gone on with for so long. */
const PATIENCE_MS = 500;
/** An escape is a key of many programs, which wait less than this to tell it from the start of a sequence. */
const ESCAPE_PATIENCE_MS = 50;
const ESCAPE = '\x1b';
const ESCAPE_CODE = 0x1b;

export interface Matched {
  /** What is for the command. */
  readonly forward: Uint8Array;
  /** The sequence was typed; what came after it is dropped, since nobody is attached any more. */
  readonly isDetach: boolean;
}

/**
 * Finds the detach sequence in what is typed, and keeps back no more than what may be the start of it.
 *
 * Time is passed in: the caller asks deadlineMs() when to call expire(). All of it is on one clock.
 */
export class DetachMatcher {
  readonly #keys: readonly string[];
  /** What was read and not forwarded: keys that matched, then what may become the next one. */
  #held = '';
  #matchedLength = 0;
  #matchedKeys = 0;
  #sinceMs = 0;

  /** @param keys As parseKeySequence() gives them; two at least. */
  constructor(keys: readonly string[]) {
    this.#keys = keys;
  }

  push(data: Uint8Array, nowMs: number): Matched {
    const overdue = this.expire(nowMs);
    this.#held += bytesFromBuffer(data);
    const forwarded: string[] = [];
    const keysBefore = this.#matchedKeys;
    const isDetach = this.#advance(forwarded);
    if (isDetach) this.#reset();
    // What only passes by, such as a mouse that moves, keeps nothing back for longer.
    const hasOnlyPassed = keysBefore > 0 && this.#matchedKeys === keysBefore && forwarded.length === 0;
    if (!hasOnlyPassed) this.#sinceMs = nowMs;
    return { forward: Buffer.concat([overdue, bufferFromBytes(forwarded.join('') as Bytes)]), isDetach };
  }

  /** Nothing is kept back. */
  get isIdle(): boolean {
    return this.#held === '';
  }

  /** A byte that is only ever for the command, or all of a key that is, when nothing is kept back. */
  isPlain(typed: string): boolean {
    return typed !== ESCAPE && lookForKey(this.#keys[0] ?? '', typed).kind === 'other';
  }

  /** When expire() has something to do; undefined while nothing is kept back. */
  deadlineMs(): number | undefined {
    if (this.#held === '') return undefined;
    // Before the first key has matched, what is held is the start of an escape sequence, or the key itself.
    const isEscape = this.#matchedKeys === 0 ? this.#held.startsWith(ESCAPE) : this.#keys[0] === 'esc';
    return this.#sinceMs + (isEscape ? ESCAPE_PATIENCE_MS : PATIENCE_MS);
  }

  /** What has been kept back for too long, and is for the command after all. */
  expire(nowMs: number): Uint8Array {
    const deadlineMs = this.deadlineMs();
    return deadlineMs === undefined || nowMs < deadlineMs ? new Uint8Array() : this.flush();
  }

  /** All that is kept back. */
  flush(): Uint8Array {
    const forward = bufferFromBytes(this.#held as Bytes);
    this.#reset();
    return forward;
  }

  /** @returns whether the last key has come; what cannot belong to the sequence is added to `forwarded`. */
  #advance(forwarded: string[]): boolean {
    while (this.#matchedLength < this.#held.length) {
      if (this.#matchedLength === 0 && this.#passOthers(forwarded)) continue;
      const look = lookForKey(this.#keys[this.#matchedKeys] ?? '', this.#held.slice(this.#matchedLength));
      if (look.kind === 'partial') return false;
      if (look.kind === 'passing' && this.#matchedKeys > 0) {
        this.#matchedLength += look.length;
      } else if (look.kind === 'match') {
        this.#matchedLength += look.length;
        this.#matchedKeys += 1;
        if (this.#matchedKeys === this.#keys.length) return true;
      } else {
        this.#giveUpOne(forwarded);
      }
    }
    return false;
  }

  /** What no key of the sequence begins with, at once: a paste may be of megabytes. @returns whether there was any. */
  #passOthers(forwarded: string[]): boolean {
    const first = plainBytes(this.#keys[0] ?? '').charCodeAt(0);
    let length = 0;
    for (; length < this.#held.length; length++) {
      const code = this.#held.charCodeAt(length);
      if (code === ESCAPE_CODE || code === first) break;
    }
    if (length === 0) return false;
    forwarded.push(this.#held.slice(0, length));
    this.#held = this.#held.slice(length);
    return true;
  }

  /**
   * The sequence does not begin where it seemed to; it may begin later in what is held. An escape sequence is
   * forwarded as a whole, so that a byte within it is never taken for a key.
   */
  #giveUpOne(forwarded: string[]): void {
    const unit = leadingKey(this.#held);
    forwarded.push(unit);
    this.#held = this.#held.slice(unit.length);
    this.#matchedLength = 0;
    this.#matchedKeys = 0;
  }

  #reset(): void {
    this.#held = '';
    this.#matchedLength = 0;
    this.#matchedKeys = 0;
  }
}

/** The first key or character: a CSI or SS3 sequence, one escape with its character, UTF-8 as one. */
function leadingKey(input: string): string {
  const found = /^(?:\x1b\[[\x20-\x3f]*[\x40-\x7e]|\x1bO[\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]+|[^])/.exec(input);
  return found?.[0] ?? input;
}
