/** What every text that a glob matches begins with, ends with, or has somewhere. */
interface Anchor {
  readonly place: Place;
  readonly text: string;
}
type Place = 'start' | 'end' | 'inside';

/** More characters tell hardly more globs apart, and each length that there is costs a look for each text. */
const ANCHOR_LENGTH_MAXIMUM = 12;
/** Every piece of a text of such a length is looked for. */
const INSIDE_LENGTH_MAXIMUM = 6;
const INSIDE_LENGTH_MINIMUM = 3;
const SPECIAL_REGEXP = /[*?[\\]/;
/** Behind a bracket all is literal again. A slash is none: two stars before it may stand for nothing, with the slash. */
const ENDS_LITERAL = '*?[]\\/';
/** An escaped character is literal too, and begins a run of its own. */
const BETWEEN_RUNS_REGEXP = /[*?\\/]/;

/** @returns undefined where nothing is known of what the glob matches. */
export function anchorOf(glob: string): Anchor | undefined {
  const special = glob.search(SPECIAL_REGEXP);
  const start = glob.slice(0, special < 0 ? glob.length : special).slice(0, ANCHOR_LENGTH_MAXIMUM);
  const end = literalEnd(glob);
  const inside = longestRun(glob).slice(-INSIDE_LENGTH_MAXIMUM);
  if (inside.length >= INSIDE_LENGTH_MINIMUM && inside.length > Math.max(start.length, end.length))
    return { place: 'inside', text: inside };
  if (start === '' && end === '') return undefined;
  return end.length >= start.length ? { place: 'end', text: end } : { place: 'start', text: start };
}

function literalEnd(glob: string): string {
  let at = glob.length;
  while (at > 0 && glob.length - at < ANCHOR_LENGTH_MAXIMUM && !ENDS_LITERAL.includes(glob[at - 1] as string)) at -= 1;
  return glob.slice(at);
}

/** Before the first bracket, whose characters stand for one. */
function longestRun(glob: string): string {
  const bracket = glob.indexOf('[');
  const runs = glob.slice(0, bracket < 0 ? glob.length : bracket).split(BETWEEN_RUNS_REGEXP);
  return runs.reduce((longest, run) => (run.length > longest.length ? run : longest), '');
}

/** Finds, of many globs, the few that may match a text: all that do are among them. */
export class GlobIndex<Pattern> {
  readonly #byAnchor: Readonly<Record<Place, Map<number, Map<string, Pattern[]>>>> = {
    start: new Map(),
    end: new Map(),
    inside: new Map(),
  };
  readonly #unanchored: Pattern[] = [];

  add(glob: string, pattern: Pattern): void {
    const anchor = anchorOf(glob);
    if (anchor === undefined) {
      this.#unanchored.push(pattern);
      return;
    }
    const { place, text } = anchor;
    let ofLength = this.#byAnchor[place].get(text.length);
    if (ofLength === undefined) this.#byAnchor[place].set(text.length, (ofLength = new Map()));
    const known = ofLength.get(text);
    if (known === undefined) ofLength.set(text, [pattern]);
    else known.push(pattern);
  }

  /** Lists of candidates, each in the order in which they were added. */
  *candidates(text: string): Generator<readonly Pattern[], void, undefined> {
    if (this.#unanchored.length > 0) yield this.#unanchored;
    const { start, end, inside } = this.#byAnchor;
    for (const [length, known] of start) yield* found(known.get(text.slice(0, length)));
    for (const [length, known] of end) yield* found(known.get(text.slice(-length)));
    for (const [length, known] of inside)
      for (let at = 0; at + length <= text.length; at += 1) yield* found(known.get(text.slice(at, at + length)));
  }
}

function found<Pattern>(list: readonly Pattern[] | undefined): readonly (readonly Pattern[])[] {
  return list === undefined ? [] : [list];
}
