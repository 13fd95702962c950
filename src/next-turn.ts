/** Lets everything else run that is ready: signals, timers, what was drawn. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
