import picocolors from 'picocolors';

/**
 * The few colours of nono's output, of those that the terminal's theme gives. Each is readable on light and on dark backgrounds: yellow and
 * cyan are not on white, blue is not on black. None of them says what the text does not say too, and nothing that has to be read is faint.
 */
export interface Palette {
  readonly isColour: boolean;
  readonly added: (text: string) => string;
  readonly removed: (text: string) => string;
  readonly changed: (text: string) => string;
  readonly faint: (text: string) => string;
  readonly strong: (text: string) => string;
  /** What of a line has changed, where there is colour. */
  readonly addedWord: (text: string) => string;
  readonly removedWord: (text: string) => string;
}

export function createPalette(isColour: boolean): Palette {
  const colours = picocolors.createColors(isColour);
  return {
    isColour,
    added: colours.green,
    removed: colours.red,
    changed: colours.magenta,
    faint: colours.dim,
    strong: colours.bold,
    addedWord: (text) => colours.inverse(colours.green(text)),
    removedWord: (text) => colours.inverse(colours.red(text)),
  };
}
