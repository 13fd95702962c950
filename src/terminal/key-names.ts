const ESCAPE = '\x1b';

/** What the keys send in a terminal that is in none of its other modes. */
const KEYS: Readonly<Record<string, string>> = {
  enter: '\r',
  tab: '\t',
  'shift-tab': `${ESCAPE}[Z`,
  esc: ESCAPE,
  space: ' ',
  backspace: '\x7f',
  delete: `${ESCAPE}[3~`,
  insert: `${ESCAPE}[2~`,
  up: `${ESCAPE}[A`,
  down: `${ESCAPE}[B`,
  right: `${ESCAPE}[C`,
  left: `${ESCAPE}[D`,
  home: `${ESCAPE}[H`,
  end: `${ESCAPE}[F`,
  'page-up': `${ESCAPE}[5~`,
  'page-down': `${ESCAPE}[6~`,
};

/** The names that keyBytes() knows, for messages. */
export const KEY_NAMES: readonly string[] = [...Object.keys(KEYS), 'ctrl-X'];

/** What `ctrl-c`, `enter` or `up` send. @returns undefined for a name that is none. */
export function keyBytes(name: string): string | undefined {
  const lower = name.toLowerCase();
  const letter = /^ctrl-(?<letter>[a-z@[\\\]^_])$/.exec(lower)?.groups?.['letter'];
  if (letter !== undefined) return String.fromCharCode(letter.toUpperCase().charCodeAt(0) & 0x1f);
  return Object.hasOwn(KEYS, lower) ? KEYS[lower] : undefined;
}
