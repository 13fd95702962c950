/** What is loaded together, when the command of a session has been started. */

export { isWritingLines, rowsBelowCursor } from './cursor-rows.ts';
export { fastForward } from './fast-forward.ts';
export { measureBy } from './fit.ts';
export { TerminalModel } from './model.ts';
export { paint, paintCursorRow, paintGlimpse } from './painter.ts';
export { screenDocument } from './screen-document.ts';
export { paintSince, standingOf } from './standing.ts';
export { ViewPainter } from './view-painter.ts';
