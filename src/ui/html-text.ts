import { type Bytes, displayBytes } from '../bytes.ts';

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

/** Text that is safe in an element and in a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

/** Bytes as they are shown everywhere, control characters and direction marks written out, safe in HTML. */
export function htmlBytes(bytes: Bytes): string {
  return escapeHtml(displayBytes(bytes));
}
