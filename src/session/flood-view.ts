import type { Display } from './display.ts';
import type { SessionScreen } from './screen.ts';

/** Who cannot follow a flood sees where it is no oftener than this. */
export const FLOOD_INTERVAL_MS = 150;
/** Its end is seen so soon. */
const LOOK_MS = 15;

interface FloodViewDeps {
  readonly screen: SessionScreen;
  /** Milliseconds from an arbitrary start. */
  readonly nowMs: () => number;
  readonly show: (drawing: Uint8Array) => void;
  readonly onOver: () => void;
}

/**
 * What is drawn with its history in the midst of a flood is gone before anybody sees it, and keeps the command waiting: until the end of it the
 * screen alone is drawn now and then, from wherever the model is.
 */
export function showFlood(display: Display, { screen, nowMs, show, onOver }: FloodViewDeps): void {
  display.isInFlood = true;
  let shownMs = nowMs();
  const look = (): void => {
    if (display.isGone) return;
    if (display.isLive || display.isSuspended || !screen.isInFlood()) {
      display.isInFlood = false;
      onOver();
      return;
    }
    if (display.connection.queuedBytes === 0 && nowMs() - shownMs >= FLOOD_INTERVAL_MS) {
      shownMs = nowMs();
      screen.glimpse((model, { paintGlimpse }) => show(paintGlimpse(model)));
    }
    setTimeout(look, LOOK_MS);
  };
  setTimeout(look, LOOK_MS);
}
