/** How the parser of xterm.js names a control sequence. */
export interface SequenceId {
  readonly prefix?: string;
  readonly intermediates?: string;
  readonly final: string;
}

/** Of CSI: what a terminal answers. A prefix, characters in between and the final one, written together. */
export const QUERY_SEQUENCES: readonly string[] = 'c >c =c n ?n $p ?$p ?u >q t *y ?m ?S'.split(' ');
/** Of CSI: what changes a mode. */
export const MODE_SEQUENCES: readonly string[] = ['?h', '?l', 'h', 'l', '?s', '?r', ' q', '!p', '?c', '>m', '>u', '<u', '=u'];
/** OSC 0 to 19 and what resets them, as far as they are kept: titles, colours, the directory. */
export const KEPT_OSCS: readonly number[] = [0, 1, 2, 4, 7, 104, ...range(10, 19), ...range(110, 119)];

/** @param written As in the lists above. */
export function splitSequence(written: string): { readonly prefix: string; readonly middle: string; readonly final: string } {
  const prefix = /^[<=>?]/.exec(written)?.[0] ?? '';
  return { prefix, middle: written.slice(prefix.length, -1), final: written.slice(-1) };
}

export function sequenceId(written: string): SequenceId {
  const { prefix, middle, final } = splitSequence(written);
  return { ...(prefix === '' ? {} : { prefix }), ...(middle === '' ? {} : { intermediates: middle }), final };
}

/** As it was written, as far as it matters: `4:3;1`. */
export function joinParameters(parameters: readonly (number | readonly number[])[]): string {
  return parameters
    .map((parameter) => (typeof parameter === 'number' ? String(parameter) : `:${parameter.join(':')}`))
    .join(';')
    .replaceAll(';:', ':');
}

function range(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, at) => first + at);
}
