/**
 * Glob matching as git's ignore files mean it (gitignore(5), and wildmatch of git with its path flag):
 * `*` and `?` stop at a slash, `**` between slashes spans directories, brackets know ranges, negation and
 * POSIX classes. Works on byte strings.
 *
 * All states of the pattern advance together over the text, so a hostile pattern costs its length times
 * the text's and never an exponential search.
 */
export type Matcher = (text: string) => boolean;

type Token =
  | { readonly kind: 'literal'; readonly unit: number }
  | { readonly kind: 'one' }
  | { readonly kind: 'class'; readonly has: (unit: number) => boolean }
  /** `*`: any run without a slash. */
  | { readonly kind: 'run' }
  /** `**` at the end or before an escaped slash: anything. */
  | { readonly kind: 'all' }
  /** `**` and its slash: nothing, or anything that ends in a slash. Followed by its inner state. */
  | { readonly kind: 'directories' }
  | { readonly kind: 'insideDirectories' };

const SLASH = 47;
const BACKSLASH = 92;
const STAR = 42;
const QUESTION = 63;
const OPEN = 91;
const CLOSE = 93;

/** @returns undefined for a pattern that can match nothing: an open bracket, a backslash at the end. */
export function compileGlob(pattern: string): Matcher | undefined {
  if (!/[*?[\\]/.test(pattern)) return (text) => text === pattern;
  if (/^\*[^*?[\\/]+$/.test(pattern)) {
    const suffix = pattern.slice(1);
    return (text) => text.endsWith(suffix) && !text.slice(0, -suffix.length).includes('/');
  }
  const tokens = tokenize(pattern);
  return tokens === undefined ? undefined : (text) => runStates(tokens, text);
}

function tokenize(pattern: string): Token[] | undefined {
  const tokens: Token[] = [];
  const firstSpecial = pattern.search(/[*?[\\]/);
  for (let at = 0; at < pattern.length; ) {
    const unit = pattern.charCodeAt(at);
    if (unit === STAR) {
      at = addStars(tokens, pattern, at, at === firstSpecial);
    } else if (unit === QUESTION) {
      tokens.push({ kind: 'one' });
      at += 1;
    } else if (unit === OPEN) {
      const bracket = parseBracket(pattern, at);
      if (bracket === undefined) return undefined;
      tokens.push({ kind: 'class', has: bracket.has });
      at = bracket.end;
    } else {
      const isEscape = unit === BACKSLASH;
      if (isEscape && at + 1 === pattern.length) return undefined;
      tokens.push({ kind: 'literal', unit: isEscape ? pattern.charCodeAt(at + 1) : unit });
      at += isEscape ? 2 : 1;
    }
  }
  return tokens;
}

/** @returns the position after the stars, and after the slash of a `**` that stands between slashes. */
function addStars(tokens: Token[], pattern: string, start: number, isFirstSpecial: boolean): number {
  let at = start;
  while (pattern.charCodeAt(at) === STAR) at += 1;
  // Git compares what is before the first special character by itself and takes the rest for a pattern of its
  // own: two stars right there count as standing after a slash, whatever is before them.
  const isBounded = isFirstSpecial || pattern.charCodeAt(start - 1) === SLASH;
  const isDouble = at - start >= 2 && isBounded;
  if (isDouble && pattern.charCodeAt(at) === SLASH) {
    tokens.push({ kind: 'directories' }, { kind: 'insideDirectories' });
    return at + 1;
  }
  // Before an escaped slash the two stars span directories, but do not stand for none.
  const isAll = isDouble && (at === pattern.length || pattern.startsWith('\\/', at));
  tokens.push({ kind: isAll ? 'all' : 'run' });
  return at;
}

function runStates(tokens: readonly Token[], text: string): boolean {
  let states = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  enter(tokens, states, 0);
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    next.fill(0);
    let isAlive = false;
    for (let state = 0; state < tokens.length; state++) {
      if (states[state] === 1 && step(tokens, next, state, unit)) isAlive = true;
    }
    if (!isAlive) return false;
    [states, next] = [next, states];
  }
  return states[tokens.length] === 1;
}

/** Adds `state` and what is reached from it without reading anything. */
function enter(tokens: readonly Token[], states: Uint8Array, state: number): void {
  let at = state;
  for (;;) {
    states[at] = 1;
    const kind = tokens[at]?.kind;
    if (kind === 'run' || kind === 'all') at += 1;
    else if (kind === 'directories') at += 2;
    else return;
  }
}

/** Reads one unit in `state`. @returns whether the unit fits. */
function step(tokens: readonly Token[], next: Uint8Array, state: number, unit: number): boolean {
  const token = tokens[state] as Token;
  switch (token.kind) {
    case 'literal':
      return advanceIf(token.unit === unit, tokens, next, state + 1);
    case 'one':
      return advanceIf(unit !== SLASH, tokens, next, state + 1);
    case 'class':
      return advanceIf(unit !== SLASH && token.has(unit), tokens, next, state + 1);
    case 'run':
      return advanceIf(unit !== SLASH, tokens, next, state);
    case 'all':
      return advanceIf(true, tokens, next, state);
    case 'directories':
      next[state + 1] = 1;
      // A slash at once: where the stars follow other characters, as in `a**/b`.
      return advanceIf(unit === SLASH, tokens, next, state + 2) || true;
    case 'insideDirectories':
      next[state] = 1;
      return advanceIf(unit === SLASH, tokens, next, state + 1) || true;
  }
}

function advanceIf(fits: boolean, tokens: readonly Token[], next: Uint8Array, state: number): boolean {
  if (fits) enter(tokens, next, state);
  return fits;
}

/** A map: a pattern is anybody's, and `constructor` is in every object. */
const POSIX_CLASSES: ReadonlyMap<string, RegExp> = new Map([
  ['alnum', /[0-9A-Za-z]/],
  ['alpha', /[A-Za-z]/],
  ['blank', /[ \t]/],
  ['cntrl', /[\x00-\x1f\x7f]/],
  ['digit', /[0-9]/],
  ['graph', /[!-~]/],
  ['lower', /[a-z]/],
  ['print', /[ -~]/],
  ['punct', /[!-/:-@[-`{-~]/],
  /** Git's own isspace(): without vertical tab and form feed. */
  ['space', /[\t\n\r ]/],
  ['upper', /[A-Z]/],
  ['xdigit', /[0-9A-Fa-f]/],
]);

/** Parses from `[` at `start`. @returns undefined when it is not closed or names an unknown class. */
function parseBracket(pattern: string, start: number): { has: (unit: number) => boolean; end: number } | undefined {
  let at = start + 1;
  const isNegated = pattern[at] === '!' || pattern[at] === '^';
  if (isNegated) at += 1;
  const members = new Uint8Array(256);
  for (let isFirst = true; isFirst || pattern.charCodeAt(at) !== CLOSE; isFirst = false) {
    if (at >= pattern.length) return undefined;
    if (pattern.startsWith('[:', at)) {
      const close = pattern.indexOf(':]', at + 2);
      const name = close < 0 ? '' : pattern.slice(at + 2, close);
      if (/^[a-z]*$/.test(name) && close >= 0) {
        const regexp = POSIX_CLASSES.get(name);
        if (regexp === undefined) return undefined;
        for (let unit = 0; unit < 256; unit++) if (regexp.test(String.fromCharCode(unit))) members[unit] = 1;
        at = close + 2;
        continue;
      }
    }
    const low = bracketUnit(pattern, at);
    if (low === undefined) return undefined;
    at = low.end;
    const isRange = pattern[at] === '-' && at + 1 < pattern.length && pattern.charCodeAt(at + 1) !== CLOSE;
    const high = isRange ? bracketUnit(pattern, at + 1) : low;
    if (high === undefined) return undefined;
    at = high.end;
    // Git has looked at the lower end before it sees that a range begins: it is in even when the range is empty.
    members[low.unit] = 1;
    for (let unit = low.unit; unit <= high.unit; unit++) members[unit] = 1;
  }
  return { has: (unit) => (members[unit] === 1) !== isNegated, end: at + 1 };
}

function bracketUnit(pattern: string, at: number): { readonly unit: number; readonly end: number } | undefined {
  const isEscape = pattern.charCodeAt(at) === BACKSLASH;
  const position = isEscape ? at + 1 : at;
  if (position >= pattern.length) return undefined;
  return { unit: pattern.charCodeAt(position), end: position + 1 };
}
