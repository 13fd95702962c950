/** What is loaded together, when the command of a session has been started. */
export { fastForward } from './fast-forward.ts';
export { measureBy } from './fit.ts';
export { TerminalModel } from './model.ts';
export { isWritingLines, paint, paintCursorRow, paintGlimpse, rowsBelowCursor } from './painter.ts';
export { screenDocument } from './screen-document.ts';
export { paintSince, standingOf } from './standing.ts';
export { ViewPainter } from './view-painter.ts';
