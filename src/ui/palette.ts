import picocolors from 'picocolors';

/** The few colours of nono's output; each is readable on light and on dark backgrounds. */
export interface Palette {
  readonly added: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
}

export function createPalette(isColour: boolean): Palette {
  const colours = picocolors.createColors(isColour);
  return {
    added: colours.green,
    removed: colours.red,
    changed: colours.yellow,
    faint: colours.dim,
    strong: colours.bold,
  };
}
