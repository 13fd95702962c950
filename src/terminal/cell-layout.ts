/** A cell of XtermLine._data, as @xterm/headless 6.0.0 lays it out (src/common/buffer/Constants.ts there: Content). */

/** Of each cell: content, foreground, background. */
export const CELL_WORDS = 3;
/** In the content: a code point, or whether there are several, which are in XtermLine._combined; and the columns that it takes. */
export const CODE_MASK = 0x1fffff;
export const COMBINED = 0x200000;
/** Both of the former. */
export const CONTENT_MASK = CODE_MASK | COMBINED;
export const WIDTH_SHIFT = 22;
/** The content's width where that is one. */
export const ONE_COLUMN = 1 << WIDTH_SHIFT;
