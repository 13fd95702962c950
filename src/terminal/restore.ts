import { type ModeLedger, type ScreenName } from './mode-ledger.ts';

/** Put back while the session's screen is still there; what belongs to no screen in particular comes first. */
const RESET_ORDER: readonly number[] = [
  2026, 1, 5, 6, 7, 9, 12, 25, 45, 66, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2027, 2031, 2048, 9001,
];
const TAB_WIDTH = 8;
/** Modes that may have been set without the ledger having heard of it, and what puts a terminal back from them. */
const USUAL_RESETS: ReadonlyMap<number, string> = new Map([
  [1, '\x1b[?1l'],
  [25, '\x1b[?25h'],
  [66, '\x1b>'],
  [2004, '\x1b[?2004l'],
  [2026, '\x1b[?2026l'],
]);

/**
 * What puts a terminal back that a program has changed; '' when nothing is to be put back. The cursor stays where it is,
 * except that leaving the alternate screen takes it back to where it was before.
 *
 * @param columns Of the terminal, for its tab stops.
 * @param isPassedBy The ledger has not heard of cursor keys, keypad, cursor, pastes and synchronized updates (1, 66, 25, 2004, 2026) being switched.
 */
export function restoreSequence(ledger: ModeLedger, columns: number, isPassedBy = false): string {
  const { alternateScreen, palette, dynamicColours } = ledger;
  return [
    ledger.hasOtherEncoding ? '\x1b%G' : '',
    ledger.hasShortControls ? '\x1b F' : '',
    ledger.hasLink ? '\x1b]8;;\x1b\\' : '',
    ledger.hasPen ? '\x1b[0m' : '',
    ledger.isProtecting ? '\x1b[0"q\x1bW' : '',
    ledger.screen === 'alternate' ? popKeys(ledger, 'alternate') : '',
    ledger.otherKeys > 0 ? '\x1b[>4m' : '',
    ledger.isInsert ? '\x1b[4l' : '',
    ledger.isNewline ? '\x1b[20l' : '',
    ledger.hasCharsets ? '\x0f\x1b(B\x1b)B' : '',
    ledger.cursorStyle > 0 ? '\x1b[0 q' : '',
    ledger.consoleCursor === '' ? '' : '\x1b[?0c',
    ...RESET_ORDER.map((mode) => (isPassedBy ? USUAL_RESETS.get(mode) : undefined) ?? resetOf(ledger, mode)),
    alternateScreen === undefined ? '' : `\x1b[?${alternateScreen}l`,
    popKeys(ledger, 'normal'),
    // Each of these moves the cursor.
    ledger.hasSideMargins ? '\x1b7\x1b[?69l\x1b8' : '',
    ledger.hasScrollRegion ? '\x1b7\x1b[r\x1b8' : '',
    ledger.hasTabStops ? `\x1b7${usualTabStops(columns)}\x1b8` : '',
    ledger.hasProgress ? '\x1b]9;4;0\x1b\\' : '',
    // For any other terminal it needs an end.
    ledger.hasConsoleColours ? '\x1b]R\x1b\\' : '',
    palette.size > 0 ? `\x1b]104;${[...palette.keys()].join(';')}\x1b\\` : '',
    ...[...dynamicColours.keys()].map((number) => `\x1b]${number + 100}\x1b\\`),
  ].join('');
}

function resetOf({ modes }: ModeLedger, mode: number): string {
  const isOn = modes.get(mode);
  if (isOn === undefined) return '';
  if (mode === 66) return isOn ? '\x1b>' : '';
  return `\x1b[?${mode}${isOn ? 'l' : 'h'}`;
}

function popKeys({ kittyKeys }: ModeLedger, screen: ScreenName): string {
  const depth = kittyKeys[screen].length;
  return depth > 0 ? `\x1b[<${depth}u` : '';
}

function usualTabStops(columns: number): string {
  const stops: string[] = [];
  for (let column = TAB_WIDTH + 1; column <= columns; column += TAB_WIDTH) stops.push(`\x1b[${column}G\x1bH`);
  return `\x1b[3g${stops.join('')}`;
}
