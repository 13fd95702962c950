import { type Bytes, displayBytes, isUtf8, textFromBytes } from './bytes.ts';

/** A word as sh takes it, safe to show; where it holds more than printable ASCII in the form `$'…'`, which bash and zsh take. */
export function shellWord(word: Bytes): string {
  if (/^[\w./:=@%+,^-]+$/.test(word)) return word;
  if (/^[\x20-\x7e]*$/.test(word)) return `'${word.replaceAll("'", "'\\''")}'`;
  const escaped = Array.from(word, (unit) =>
    /[\x20-\x7e]/.test(unit) && unit !== "'" && unit !== '\\' ? unit : `\\x${unit.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
  return `$'${escaped.join('')}'`;
}

/** The same for a word in a sentence that people copy from: letters of all scripts stay as they are, where they are safe to show. */
export function shownWord(word: Bytes): string {
  const text = textFromBytes(word);
  if (!isUtf8(word) || displayBytes(word) !== text) return shellWord(word);
  return /^[\p{L}\p{N}_./:=@%+,^-]+$/u.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
