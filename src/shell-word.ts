import type { Bytes } from './bytes.ts';

/** A word as sh takes it, safe to show; where it holds more than printable ASCII in the form `$'…'`, which bash and zsh take. */
export function shellWord(word: Bytes): string {
  if (/^[\w./:=@%+,^-]+$/.test(word)) return word;
  if (/^[\x20-\x7e]*$/.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(word, (unit) =>
    /[\x20-\x7e]/.test(unit) && unit !== "'" && unit !== '\\' ? unit : `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped.join('')}'`;
}
