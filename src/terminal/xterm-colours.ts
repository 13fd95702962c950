const BASE_COLOURS = ['000000', 'cd0000', '00cd00', 'cdcd00', '0000ee', 'cd00cd', '00cdcd', 'e5e5e5'] as const;
const BRIGHT_COLOURS = ['7f7f7f', 'ff0000', '00ff00', 'ffff00', '5c5cff', 'ff00ff', '00ffff', 'ffffff'] as const;
const CUBE_LEVELS = [0, 95, 135, 175, 215, 255] as const;

/** xterm's own table: 16 colours, a cube of 6, 24 greys. @returns RRGGBB in hexadecimal. */
export function paletteHex(index: number): string {
  if (index < 16) return [...BASE_COLOURS, ...BRIGHT_COLOURS][index] ?? '000000';
  const levels =
    index < 232
      ? [Math.floor((index - 16) / 36), Math.floor((index - 16) / 6) % 6, (index - 16) % 6].map((step) => CUBE_LEVELS[step] ?? 0)
      : Array.from({ length: 3 }, () => 8 + (index - 232) * 10);
  return levels.map((level) => level.toString(16).padStart(2, '0')).join('');
}
