import { setTimeout as sleep } from 'node:timers/promises';

const POLL_MS = 10;

/**
 * Waits until `look` gives something else than undefined or false, for what sends no event: a screen, a file.
 *
 * @throws {Error} naming `what` when it has not come after `timeoutMs`.
 */
export async function waitFor<Value>(
  what: string,
  look: () => Value | Promise<Value>,
  timeoutMs = 10_000,
): Promise<Found<Value>> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined && value !== false) return value as Found<Value>;
    if (performance.now() > endMs) throw new Error(`Waited ${timeoutMs} ms in vain for ${what}`);
    await sleep(POLL_MS);
  }
}

type Found<Value> = Exclude<Value, undefined | false>;
