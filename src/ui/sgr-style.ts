import { paletteHex } from '../terminal/xterm-colours.ts';

/** What the parameters of an SGR sequence look like. Colours are `#rrggbb`. */
export interface TextStyle {
  readonly foreground?: string;
  readonly background?: string;
  readonly underlineColour?: string;
  readonly underline?: 'solid' | 'double' | 'wavy' | 'dotted' | 'dashed';
  readonly isBold?: boolean;
  readonly isDim?: boolean;
  readonly isItalic?: boolean;
  readonly isInverse?: boolean;
  readonly isHidden?: boolean;
  readonly isStruck?: boolean;
  readonly isOverlined?: boolean;
}

type Draft = { -readonly [Name in keyof TextStyle]: TextStyle[Name] };

const UNDERLINES = ['solid', 'solid', 'double', 'wavy', 'dotted', 'dashed'] as const;
const FLAGS: Readonly<Record<string, Draft>> = {
  1: { isBold: true },
  2: { isDim: true },
  3: { isItalic: true },
  7: { isInverse: true },
  8: { isHidden: true },
  9: { isStruck: true },
  53: { isOverlined: true },
};

/** @param parameters `1;38;5;208;4:3`: the look in full, not a change of one. What is not known changes nothing. */
export function parseSgr(parameters: string): TextStyle {
  const style: Draft = {};
  const fields = parameters.split(';');
  for (let at = 0; at < fields.length; at++) {
    const field = fields[at] ?? '';
    const code = Number.parseInt(field, 10);
    Object.assign(style, FLAGS[field]);
    if (field === '4' || field.startsWith('4:')) style.underline = UNDERLINES[Number(field.split(':')[1] ?? 1)] ?? 'solid';
    else if (field.startsWith('58:'))
      setColour(style, 'underlineColour', extendedColour(field.split(':').slice(1).filter(Boolean)));
    else if (field === '38' || field === '48') {
      setColour(style, field === '38' ? 'foreground' : 'background', extendedColour(fields.slice(at + 1)));
      at += fields[at + 1] === '5' ? 2 : 4;
    } else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      setColour(style, 'foreground', paletteColour(code >= 90 ? code - 82 : code - 30));
    } else if ((code >= 40 && code <= 47) || (code >= 100 && code <= 107)) {
      setColour(style, 'background', paletteColour(code >= 100 ? code - 92 : code - 40));
    }
  }
  return style;
}

function paletteColour(index: number): string {
  return `#${paletteHex(index)}`;
}

function extendedColour([mode, ...values]: readonly string[]): string | undefined {
  const numbers = values.map((value) => Math.min(255, Math.max(0, Number.parseInt(value, 10) || 0)));
  if (mode === '5') return paletteColour(numbers[0] ?? 0);
  return mode === '2' ? hexColour([numbers[0] ?? 0, numbers[1] ?? 0, numbers[2] ?? 0]) : undefined;
}

function hexColour(levels: readonly number[]): string {
  return `#${levels.map((level) => level.toString(16).padStart(2, '0')).join('')}`;
}

function setColour(style: Draft, name: 'foreground' | 'background' | 'underlineColour', colour: string | undefined): void {
  if (colour !== undefined) style[name] = colour;
}
