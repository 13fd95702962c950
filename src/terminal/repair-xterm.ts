import type { TerminalSize } from '../ports/pty.ts';
import { CELL_WORDS, COMBINED } from './cell-layout.ts';
import { sequenceId } from './sequence-ids.ts';
import type { PutString, Xterm, XtermLine } from './xterm.ts';

/** CHT, IL, DL, SU, SD, CBT and REP: done as often as their parameter says. */
const COUNTED = ['I', 'L', 'M', 'S', 'T', 'Z', 'b'];

/** States and an action of its parser: behind an escape; in a string of which nothing is shown; nothing is done. */
const [ESCAPE_STATE, STRING_STATE, IGNORE] = [1, 7, 0] as const;
/** `ESC k`: screen and tmux take what follows, up to ST, for the name of a window, and shells of theirs say it with each prompt. */
const WINDOW_NAME = 0x6b;
/** DCS, SOS, OSC, PM and APC of C1: in text that was taken for another encoding they would hide all that follows. Programs write them with an escape. */
const C1_STRINGS = [0x90, 0x98, 0x9d, 0x9e, 0x9f];
const STATES = 14;
/** Of an OSC or a DCS: of pictures nothing is shown here, and xterm.js would take 50 bytes for each of ten million characters. */
const STRING_MAXIMUM = 64 * 1024;
/** Code units of what is drawn in one cell: more than any writing needs, which is 31 characters (Unicode Standard Annex 15, 13). */
const CELL_LENGTH_MAXIMUM = 64;

/** What xterm.js 6.0.0 does wrong, or would do for hours. @param sizeNow The size of the terminal when it is called. */
export function repairXterm(xterm: Xterm, sizeNow: () => TerminalSize): void {
  for (const written of ['J', '?J']) {
    const respectsProtection = written !== 'J';
    xterm.terminal.parser.registerCsiHandler(
      sequenceId(written),
      ([operation]) => operation === 1 && eraseAbove(xterm, sizeNow(), respectsProtection),
    );
  }
  for (const final of COUNTED) boundCount(xterm, sizeNow, final);
  boundStrings(xterm);
  boundCells(xterm);
  const { _transitions: transitions } = xterm.core._inputHandler._parser;
  transitions.add(WINDOW_NAME, ESCAPE_STATE, IGNORE, STRING_STATE);
  for (const code of C1_STRINGS) for (let state = 0; state < STATES; state++) transitions.add(code, state, IGNORE, state);
}

/** ED 1, which throws with the cursor at the end of the last row, and takes the wrong row for the next one. */
function eraseAbove({ core }: Xterm, { columns, rows }: TerminalSize, respectsProtection: boolean): true {
  const { _inputHandler: handler } = core;
  const { active } = core._bufferService.buffers;
  for (let row = 0; row < active.y; row++) handler._resetBufferLine(row, respectsProtection);
  handler._eraseInBufferLine(active.y, 0, active.x + 1, true, respectsProtection);
  const next = active.y + 1 < rows ? active.lines.get(active.ybase + active.y + 1) : undefined;
  if (next !== undefined && active.x + 1 >= columns) next.isWrapped = false;
  return true;
}

/** More than a screen is as good as a screen: xterm.js counts on, or asks for memory for all of it. */
function boundCount({ core }: Xterm, sizeNow: () => TerminalSize, final: string): void {
  core._inputHandler._parser.registerCsiHandler({ final }, ({ params }) => {
    const { columns, rows } = sizeNow();
    const most = final === 'b' ? columns * rows : Math.max(columns, rows);
    if ((params[0] ?? 0) > most) params[0] = most;
    return false;
  });
}

/** What is longer is handled as if it ended there. */
function boundStrings({ core }: Xterm): void {
  const { _oscParser: osc, _dcsParser: dcs } = core._inputHandler._parser;
  let length = 0;
  const bounded =
    (put: PutString): PutString =>
    (codes, start, end) => {
      const taken = Math.min(end - start, STRING_MAXIMUM - length);
      length += taken;
      if (taken > 0) put(codes, start, start + taken);
    };
  const [start, hook] = [osc.start.bind(osc), dcs.hook.bind(dcs)];
  osc.start = () => {
    length = 0;
    start();
  };
  dcs.hook = (identifier, parameters) => {
    length = 0;
    hook(identifier, parameters);
  };
  osc.put = bounded(osc.put.bind(osc));
  dcs.put = bounded(dcs.put.bind(dcs));
}

/** Without an end of it, what joins the character before would cost as much again as all that has joined it already. */
function boundCells({ core }: Xterm): void {
  const line = Object.getPrototypeOf(core._bufferService.buffers.normal.getBlankLine()) as LinePrototype;
  if (boundedLines.has(line)) return;
  boundedLines.add(line);
  const add = line.addCodepointToCell;
  line.addCodepointToCell = function addBounded(column, code, width) {
    // Of a character that was written over xterm.js keeps what had joined it.
    const length = ((this._data[column * CELL_WORDS] ?? 0) & COMBINED) === 0 ? 0 : (this._combined[column]?.length ?? 0);
    if (length >= CELL_LENGTH_MAXIMUM) return;
    add.call(this, column, code, width);
    const joined = this._combined[column];
    if (joined !== undefined) this._combined[column] = shared(joined);
  };
}

/** The same characters of other cells: what was just put together takes fifty bytes for each of them until somebody reads it. */
function shared(joined: string): string {
  const known = joinedCharacters.get(joined);
  if (known === undefined && joinedCharacters.size < SHARED_MAXIMUM) joinedCharacters.set(joined, joined);
  return known ?? joined;
}

/** More than most scripts have. */
const SHARED_MAXIMUM = 4096;
const joinedCharacters = new Map<string, string>();

type AddToCell = (this: LinePrototype, column: number, code: number, width: number) => void;
type LinePrototype = XtermLine & { addCodepointToCell: AddToCell; readonly _combined: Record<number, string | undefined> };
/** All terminals have one class of lines. */
const boundedLines = new WeakSet<LinePrototype>();
