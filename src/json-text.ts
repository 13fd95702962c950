/** What a terminal takes for a control character, or turns text around by; JSON itself leaves the ones below the blank no room. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must never reach a terminal
const UNSAFE_REGEXP = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

/** JSON that may be shown on a terminal too: names that a command has made are in it. */
export function jsonText(value: unknown, indent?: number): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return JSON.stringify(value, undefined, indent).replaceAll(UNSAFE_REGEXP, escape);
}

/** A document as `--json` gives it (commands/OUTPUT.md). */
export function jsonOutput(document: unknown): string {
  return `${jsonText(document, 2)}\n`;
}
