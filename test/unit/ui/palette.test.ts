import { describe, expect, test } from 'vitest';
import { createPalette } from '../../../src/ui/palette.ts';

/** What terminals make of the eight colours as they come, by the number of the colour. */
const THEMES = [
  { theme: 'xterm on white', ground: 'ffffff', red: 'cd0000', green: '00cd00', magenta: 'cd00cd', yellow: 'cdcd00' },
  { theme: 'xterm on black', ground: '000000', red: 'cd0000', green: '00cd00', magenta: 'cd00cd', yellow: 'cdcd00' },
  { theme: 'GNOME, light', ground: 'ffffff', red: 'c01c28', green: '26a269', magenta: 'a347ba', yellow: 'a2734c' },
  { theme: 'GNOME, dark', ground: '1e1e1e', red: 'c01c28', green: '26a269', magenta: 'a347ba', yellow: 'a2734c' },
  { theme: 'macOS, Basic', ground: 'ffffff', red: '990000', green: '00a600', magenta: 'b200b2', yellow: '999900' },
  { theme: 'macOS, Pro', ground: '000000', red: '990000', green: '00a600', magenta: 'b200b2', yellow: '999900' },
  { theme: 'VS Code, light', ground: 'ffffff', red: 'cd3131', green: '00bc00', magenta: 'bc05bc', yellow: '949800' },
  { theme: 'VS Code, dark', ground: '1e1e1e', red: 'cd3131', green: '0dbc79', magenta: 'bc3fbc', yellow: 'e5e510' },
  { theme: 'Solarized, light', ground: 'fdf6e3', red: 'dc322f', green: '859900', magenta: 'd33682', yellow: 'b58900' },
  { theme: 'Solarized, dark', ground: '002b36', red: 'dc322f', green: '859900', magenta: 'd33682', yellow: 'b58900' },
] as const;
const NAMES = { 31: 'red', 32: 'green', 33: 'yellow', 35: 'magenta' } as const;
/** What the red and green of diffs have at worst, which everybody knows how to read. */
const LEAST_CONTRAST = 2;

/** Relative luminance, as the Web Content Accessibility Guidelines have it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/../g) ?? []).map((digits) => {
    const part = Number.parseInt(digits, 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((left, right) => left - right);
  return (light + 0.05) / (dark + 0.05);
}

describe('the palette', () => {
  const palette = createPalette(true);

  test.for(THEMES)('is readable in $theme', (colours) => {
    for (const paint of [palette.added, palette.removed, palette.changed]) {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what colours are made of
      const [, number = ''] = /^\x1b\[(\d+)mx\x1b\[39m$/.exec(paint('x')) ?? [];
      expect(Object.keys(NAMES)).toContain(number);
      expect(contrast(colours[NAMES[number as unknown as keyof typeof NAMES]], colours.ground)).toBeGreaterThan(LEAST_CONTRAST);
    }
  });

  test('tells the three kinds of change apart', () => {
    const { added, removed, changed } = palette;
    expect(new Set([added, removed, changed].map((paint) => paint('x'))).size).toBe(3);
  });

  test('leaves text as it is where there is no colour', () => {
    const { isColour: _, ...paints } = createPalette(false);
    expect(Object.values(paints).map((paint) => paint('x'))).toEqual(Object.keys(paints).map(() => 'x'));
  });
});
