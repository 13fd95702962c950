const ESCAPE = 0x1b;
/** CSI of C1 in UTF-8 is C2 and this; those of strings mean nothing to the model. */
const C1_CSI = 0x9b;
const STRING_INTRODUCERS: ReadonlySet<number> = new Set([0x5d, 0x50, 0x58, 0x5e, 0x5f, 0x6b]);
/** Longer strings are pictures, which show nothing without their beginning. */
const KEPT_BYTES_MAXIMUM = 64 * 1024;
/** An OSC and an SOS of which terminals show nothing. */
const [NO_OSC, NO_STRING] = [Buffer.from('\x1b]9999;'), Buffer.from('\x1bX')];

/**
 * The beginning of a control sequence or of a UTF-8 character whose rest has not been written: a terminal that joins in
 * between has to get it, or it would show the rest as text.
 */
export class UnfinishedSequence {
  #kept: Uint8Array = new Uint8Array();
  #isTooLong = false;

  /** @param isGround Whether the parser is between sequences after `data`. */
  follow(data: Uint8Array, isGround: boolean): void {
    if (isGround) {
      this.#isTooLong = false;
      this.#kept = incompleteCharacter(data.length < 4 ? Buffer.concat([this.#kept, data]) : data);
      return;
    }
    const start = lastIntroducer(data);
    const piece = start < 0 ? Buffer.concat([this.#kept, data]) : data.slice(start);
    if (start >= 0) this.#isTooLong = false;
    // The C2 of an introducer may be the last byte that came before.
    if (!this.#isTooLong) this.#kept = withoutControls(piece);
    if (this.#kept.length > KEPT_BYTES_MAXIMUM) {
      this.#isTooLong = true;
      this.#kept = this.#kept[1] === 0x5d ? NO_OSC : NO_STRING;
    }
  }

  get bytes(): Uint8Array {
    return this.#kept;
  }
}

/** Within an escape or a CSI sequence a terminal carries a control character out at once; within a string it means something else. */
function withoutControls(sequence: Uint8Array): Uint8Array {
  const rest = sequence.subarray(1);
  if (sequence[0] !== ESCAPE || !rest.some((byte) => byte < 0x20)) return sequence;
  const introducer = rest.findIndex((byte) => byte >= 0x20);
  if (introducer >= 0 && STRING_INTRODUCERS.has(rest[introducer] ?? 0))
    return Buffer.concat([Buffer.of(ESCAPE), rest.subarray(introducer)]);
  return Buffer.concat([Buffer.of(ESCAPE), rest.filter((byte) => byte >= 0x20)]);
}

function lastIntroducer(data: Uint8Array): number {
  for (let at = data.length - 1; at >= 0; at--) {
    if (data[at] === ESCAPE) return at;
    if (data[at] === 0xc2 && data[at + 1] === C1_CSI) return at;
  }
  return -1;
}

/** The last bytes when they may become a character: as the Encoding Standard decodes, which a decoder has not given up yet. */
function incompleteCharacter(data: Uint8Array): Uint8Array {
  for (let length = 1; length <= Math.min(3, data.length); length++) {
    const lead = data[data.length - length] ?? 0;
    if (lead < 0x80) break;
    if (lead >= 0xc2)
      return length < sequenceLength(lead) && isPrefix(data.subarray(-length)) ? data.slice(-length) : new Uint8Array();
  }
  return new Uint8Array();
}

function sequenceLength(lead: number): number {
  if (lead >= 0xf5) return 1;
  return lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
}

function isPrefix([lead = 0, second]: Uint8Array): boolean {
  if (second === undefined) return true;
  const low = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const high = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  return second >= low && second <= high;
}
