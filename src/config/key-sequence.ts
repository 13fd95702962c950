const NAMED_KEYS: ReadonlySet<string> = new Set(['esc', 'tab', 'enter', 'space']);

/** What Ctrl makes a control character of: the column of ASCII from `@` to `_`, and the letters in lower case. */
const CONTROL_REGEXP = /^ctrl-([a-z@[\\\]^_])$/i;

/**
 * The keys of a sequence such as `ctrl-] d`: each a single character, a name, or `ctrl-x` with x in lower case.
 *
 * @returns undefined when a key is unknown or there are fewer than two: one alone could never reach the program.
 */
export function parseKeySequence(written: string): readonly string[] | undefined {
  const keys = written
    .split(' ')
    .filter((key) => key !== '')
    .map(parseKey);
  if (keys.length < 2) return undefined;
  const known = keys.filter((key) => key !== undefined);
  return known.length === keys.length ? known : undefined;
}

function parseKey(written: string): string | undefined {
  // By code points: a character beyond the basic plane is two units, and still one key.
  if (Array.from(written).length === 1) return isVisible(written) ? written : undefined;
  const name = written.toLowerCase();
  return NAMED_KEYS.has(name) || CONTROL_REGEXP.test(name) ? name : undefined;
}

function isVisible(character: string): boolean {
  return /^[^\p{Cc}\p{Cf}\p{Cs}\p{Z}\p{M}]$/u.test(character);
}
