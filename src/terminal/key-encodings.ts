/** The control characters that have names as keys. */
const NAMED_CODES: Readonly<Record<string, number>> = { esc: 27, tab: 9, enter: 13, space: 32 };
const CONTROL_PREFIX = 'ctrl-';
const CONTROL_MASK = 0x1f;

/** Bits of the modifier parameter less one: xterm's CSI … ; N and kitty's keyboard protocol. */
const SHIFT = 1;
const CONTROL = 4;
/** Caps Lock and Num Lock are told by kitty and change no key. */
const LOCKS = 64 | 128;

/** kitty: 1 is a press, 2 a repeat; 3, a release, follows each press and never matches anything. */
const RELEASE = 3;

const KITTY_REGEXP = /^\x1b\[(?<code>\d+)(?::\d*)*(?:;(?<modifiers>\d*)(?::(?<event>\d+))?(?:;[\d:]*)?)?u$/;
const OTHER_KEYS_REGEXP = /^\x1b\[27;(?<modifiers>\d+);(?<code>\d+)~$/;
/** Of the console of Windows (DECSET 9001), which programs there ask for by ssh too: codes of key and place, the character, 1 for a press; then modifiers and repeats. */
const CONSOLE_REGEXP = /^\x1b\[\d*;\d*;(?<code>\d*);(?<press>\d*)(?:;\d*)*_/;
/** Of the mouse and of the focus: it comes when it comes, between two keys too. */
const REPORT_REGEXP = /^\x1b\[(?:<[\d;]*[Mm]|[IO])/;
/** What could still become one of them. */
const UNFINISHED_REGEXP = /^\x1b(?:\[<?[\d;:]*)?$/;
const SEQUENCE_LENGTH_MAXIMUM = 64;
const CONSOLE_CODE_MAXIMUM = 0xffff;

/** What a read from a terminal begins with: bytes as a string with one unit for each. `passing` is no press of a key. */
export type KeyLook = { readonly kind: 'match' | 'passing'; readonly length: number } | { readonly kind: 'partial' | 'other' };

/**
 * Whether `input` begins with the key, in any of its encodings: the plain bytes, kitty's CSI u, xterm's modifyOtherKeys.
 *
 * @param key As parseKeySequence() gives it.
 */
export function lookForKey(key: string, input: string): KeyLook {
  const plain = plainBytes(key);
  const sequence = /^\x1b\[[\d;:]*[u~]/.exec(input)?.[0];
  if (sequence !== undefined) return lookAtSequence(key, sequence);
  const ofConsole = CONSOLE_REGEXP.exec(input);
  if (ofConsole?.groups !== undefined) return lookAtConsole(plain, ofConsole[0].length, ofConsole.groups);
  const report = REPORT_REGEXP.exec(input)?.[0];
  if (report !== undefined) return { kind: 'passing', length: report.length };
  if (isUnfinished(input) && input.length < SEQUENCE_LENGTH_MAXIMUM) {
    // A lone escape may be the key itself or the start of a sequence: only the time tells.
    return plain === input ? { kind: 'match', length: input.length } : { kind: 'partial' };
  }
  if (input.startsWith(plain)) return { kind: 'match', length: plain.length };
  return plain.startsWith(input) ? { kind: 'partial' } : { kind: 'other' };
}

function isUnfinished(input: string): boolean {
  return UNFINISHED_REGEXP.test(input);
}

function lookAtSequence(key: string, sequence: string): KeyLook {
  const groups = (KITTY_REGEXP.exec(sequence) ?? OTHER_KEYS_REGEXP.exec(sequence))?.groups;
  if (groups === undefined) return { kind: 'other' };
  const modifiers = (Number(groups['modifiers'] || 1) - 1) & ~LOCKS;
  if (Number(groups['event'] ?? 1) === RELEASE) return { kind: 'passing', length: sequence.length };
  return isKey(key, Number(groups['code']), modifiers) ? { kind: 'match', length: sequence.length } : { kind: 'other' };
}

/** Modifiers are keys of no character there. */
function lookAtConsole(plain: string, length: number, groups: Readonly<Record<string, string | undefined>>): KeyLook {
  const code = Number(groups['code']);
  if (Number(groups['press']) !== 1 || code === 0 || code > CONSOLE_CODE_MAXIMUM) return { kind: 'passing', length };
  return Buffer.from(String.fromCodePoint(code), 'utf8').toString('latin1') === plain
    ? { kind: 'match', length }
    : { kind: 'other' };
}

function isKey(key: string, code: number, modifiers: number): boolean {
  if (key.startsWith(CONTROL_PREFIX) && key.length > CONTROL_PREFIX.length) {
    const letter = key.slice(CONTROL_PREFIX.length);
    const isCode = code === letter.codePointAt(0) || code === letter.toUpperCase().codePointAt(0);
    return (isCode && (modifiers & ~SHIFT) === CONTROL) || (modifiers === 0 && code === controlCode(letter));
  }
  const wanted = NAMED_CODES[key] ?? key.codePointAt(0);
  if (code === wanted && (modifiers & ~SHIFT) === 0) return modifiers === 0 || NAMED_CODES[key] === undefined;
  // With shift kitty tells the key without it.
  return modifiers === SHIFT && NAMED_CODES[key] === undefined && String.fromCodePoint(code).toUpperCase() === key;
}

function controlCode(letter: string): number {
  return letter.toUpperCase().charCodeAt(0) & CONTROL_MASK;
}

/** What a key sends where nothing encodes it, one unit for each byte. */
export function plainBytes(key: string): string {
  const named = NAMED_CODES[key];
  if (named !== undefined) return String.fromCharCode(named);
  if (key.startsWith(CONTROL_PREFIX) && key.length > CONTROL_PREFIX.length)
    return String.fromCharCode(controlCode(key.slice(CONTROL_PREFIX.length)));
  return Buffer.from(key, 'utf8').toString('latin1');
}
