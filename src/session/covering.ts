import type { Measure } from '../terminal/fit.ts';
import type { RowWatch } from '../terminal/row-watch.ts';
import type { Standing } from '../terminal/standing.ts';
import type { ViewPainter } from '../terminal/view-painter.ts';

/** What is in front of the session on a terminal. */
export interface Over {
  readonly rows: (measure: Measure) => readonly string[];
  painter: ViewPainter | undefined;
  /** The rows of the normal screen that are behind it, down to the cursor. */
  shown: readonly string[] | undefined;
  /** What is behind it; undefined when that is the user's own. */
  standing: Standing | undefined;
  /** What the command writes meanwhile. */
  readonly watch: RowWatch;
}

export const BELL = '\x07';
/** The title is kept and said, pastes are marked, the bell rings. */
export const OVER_BEGIN = `\x1b[m\x0f\x1b(B\x1b)B\x1b[22;0t\x1b]2;nono: waiting for your answer\x1b\\\x1b[?2004h${BELL}`;
export const OVER_END = '\x1b[23;0t';
