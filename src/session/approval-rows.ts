import { type Bytes, displayBytes } from '../bytes.ts';
import { parentPath } from '../paths.ts';
import type { TerminalSize } from '../ports/pty.ts';
import { fitEnd, fitMiddle, type Measure, takeColumns, widthOf, wrap } from '../terminal/fit.ts';
import { accessWord, folderOf, type Proposal, type Question } from './question.ts';

/** Who is asked, what for, and the keys. */
const PROMPT_ROWS = 3;
/** Other questions are listed in at most so many rows, and in so much of the terminal. */
const LISTED_ROWS = 5;
const LISTED_SHARE = 4;

const TITLE = '\x1b[0;7m';
const BOLD = '\x1b[0;1m';
const DIM = '\x1b[0;2m';
const PLAIN = '\x1b[0m';

/** What a prompt shows. */
export interface PromptView {
  readonly questions: readonly Question[];
  readonly selected: number;
  /** What would be written into a profile, once somebody has asked for that. */
  readonly proposal: Proposal | undefined;
  /** All of the paths, however many rows that takes. */
  readonly isFull: boolean;
  /** Keys do not count yet. */
  readonly isGuarded: boolean;
  /** In place of the keys. */
  readonly note: string | undefined;
  readonly nowMs: number;
}

/** The rows of a prompt with colours: none takes more columns than the terminal has, and they are no more than its rows. */
export function drawPrompt(view: PromptView, size: TerminalSize, measure: Measure): readonly string[] {
  const question = view.questions[view.selected];
  if (question === undefined) return [];
  const { columns, rows } = size;
  const fit = (text: string) => takeColumns(measure, text, columns);
  const keys = `${view.isGuarded ? DIM : PLAIN}${fit(view.note ?? keysText(view, columns, measure))}${PLAIN}`;
  const title = `${TITLE}${fit(firstThatFits(titles(view, question), columns, measure))}${PLAIN}`;
  if (rows < PROMPT_ROWS) {
    // What is asked comes first where there is no room for all.
    const what = view.proposal === undefined ? `${accessWord(question.access)} ` : '+ ';
    const text = view.proposal?.lines.join(' ') ?? subject(question);
    const room = Math.max(1, columns - what.length);
    const style = view.isGuarded && rows === 1 ? DIM : BOLD;
    return [`${style}${fit(what + fitMiddle(measure, text, room))}${PLAIN}`, keys].slice(0, rows);
  }
  const body =
    view.proposal === undefined ? questionRows(view, question, size, measure) : proposalRows(view.proposal, size, measure);
  return [title, ...body, keys];
}

function questionRows(view: PromptView, question: Question, size: TerminalSize, measure: Measure): readonly string[] {
  const { columns, rows } = size;
  if (view.isFull) return allPaths(question, size, measure);
  const room = Math.min(view.questions.length, LISTED_ROWS, Math.floor(rows / LISTED_SHARE));
  if (room < 2) return [`${BOLD}${subjectIn(question, columns, measure)}${PLAIN}`];
  const first = Math.max(0, Math.min(view.selected - Math.floor(room / 2), view.questions.length - room));
  return view.questions.slice(first, first + room).map((one, at) => {
    const isSelected = first + at === view.selected;
    const before = `${isSelected ? '>' : ' '} ${accessWord(one.access)} `;
    const text = before + subjectIn(one, Math.max(1, columns - before.length), measure);
    return `${isSelected ? BOLD : PLAIN}${takeColumns(measure, text, columns)}${PLAIN}`;
  });
}

function allPaths({ paths }: Question, { columns, rows }: TerminalSize, measure: Measure): readonly string[] {
  const room = rows - PROMPT_ROWS + 1;
  const lines = paths.slice(0, room).flatMap((path) => wrap(measure, displayBytes(path), columns));
  const isCut = lines.length > room || paths.length > room;
  const more = 'and more: see `nono approvals --json`';
  const shown = isCut ? [...lines.slice(0, room - 1), takeColumns(measure, more, columns)] : lines;
  return shown.map((line) => `${BOLD}${line}${PLAIN}`);
}

function proposalRows({ lines }: Proposal, { columns, rows }: TerminalSize, measure: Measure): readonly string[] {
  const all = lines.flatMap((line) => wrap(measure, line, columns));
  const room = rows - PROMPT_ROWS + 1;
  // Nobody says yes to what they cannot see all of without knowing that.
  const shown = all.length > room ? [fitMiddle(measure, lines.join(' '), (columns - 1) * room)] : lines;
  return shown.flatMap((line) => wrap(measure, line, columns)).map((line) => `${BOLD}${line}${PLAIN}`);
}

/** What is wanted, on one line: a path, or what several have in common. */
export function subject({ paths }: Question): string {
  const [first = '' as Bytes, ...others] = paths;
  if (others.length === 0) return displayBytes(first);
  const directory = parentPath(first);
  const isOneDirectory = others.every((path) => parentPath(path) === directory);
  const names = paths.slice(0, LISTED_NAMES).map((path) => displayBytes(isOneDirectory ? nameIn(path, directory) : path));
  const more = paths.length > LISTED_NAMES ? ', …' : '';
  return `${paths.length} ${isOneDirectory ? `in ${displayBytes(directory)}` : 'paths'}: ${names.join(', ')}${more}`;
}

function subjectIn(question: Question, columns: number, measure: Measure): string {
  const fit = question.paths.length > 1 ? fitEnd : fitMiddle;
  return fit(measure, subject(question), columns);
}

const LISTED_NAMES = 20;

function nameIn(path: Bytes, directory: Bytes): Bytes {
  return path.slice(directory === '/' ? 1 : directory.length + 1) as Bytes;
}

/** The longest first. */
function titles({ questions, selected, proposal, nowMs }: PromptView, question: Question): readonly string[] {
  const left = minutesLeft(question.endMs - nowMs);
  if (proposal !== undefined)
    return [` nono: add to ${proposal.file}?  ${left} `, ` add to ${proposal.file}? `, ' add to your profile? ', ' add? '];
  const { access, program, pid, count } = question;
  const what = accessWord(access);
  const times = count > 1 ? `  ${count} requests` : '';
  const of = questions.length > 1 ? `  ${selected + 1} of ${questions.length}` : '';
  const place = questions.length > 1 ? ` ${selected + 1}/${questions.length}` : '';
  const long = ` nono: ${program ?? 'the command'} (${pid}) wants to ${what}${times}${of}  ${left} `;
  return [
    ...(access.connect ? [] : [`${long} f: ${folders(question)} `]),
    long,
    ` nono: ${pid} wants to ${what}${of}  ${left} `,
    ` nono: ${what}?${place} ${left} `,
    ` ${what}?${place} `,
  ];
}

/** What `f` opens, named where there is room: a path may be cut, or a folder itself. */
function folders({ paths, access }: Question): string {
  const [folder = '' as Bytes, ...others] = new Set(paths.map((path) => folderOf(path, access)));
  return others.length === 0 ? displayBytes(folder) : `${others.length + 1} folders`;
}

function keysText({ questions, selected, proposal }: PromptView, columns: number, measure: Measure): string {
  const question = questions[selected];
  if (proposal !== undefined)
    return firstThatFits(['y write this, and allow for the session  Esc back', 'y write  Esc back'], columns, measure);
  const isSocket = question?.access.connect === true;
  const others = questions.length > 1;
  const long = [
    'a allow once',
    's for the session',
    ...(isSocket ? [] : ['f its folder']),
    'w always',
    'd deny',
    'x deny for the session',
    'v view',
    ...(others ? ['↑↓ others'] : []),
    'Esc later',
  ];
  const middle = [
    'a once',
    's session',
    ...(isSocket ? [] : ['f folder']),
    'w always',
    'd deny',
    'x never',
    'v view',
    ...(others ? ['↑↓'] : []),
    'Esc later',
  ];
  const letters = isSocket ? 'a s w yes  d x no  Esc later' : 'a s f w yes  d x no  Esc later';
  const short = ['a once', 's session', ...(isSocket ? [] : ['f folder']), 'w always', 'd deny', 'x never', 'Esc'];
  const tiny = isSocket ? 'asw yes dx no Esc' : 'asfw yes dx no Esc';
  return firstThatFits([long.join('  '), middle.join('  '), short.join(' '), letters, tiny], columns, measure);
}

function firstThatFits(texts: readonly string[], columns: number, measure: Measure): string {
  return texts.find((text) => widthOf(measure, text) <= columns) ?? texts.at(-1) ?? '';
}

function minutesLeft(leftMs: number): string {
  const seconds = Math.max(0, Math.ceil(leftMs / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
