import type { Clock } from '../ports/clock.ts';
import { progressText } from './progress-text.ts';

/** What takes less is not worth a line. */
const SHOWN_AFTER_MS = 1000;
/** A line that changes faster cannot be read. */
const BETWEEN_MS = 100;

/** Shows one changing line about what takes long, and takes it away at the end. */
export class ProgressLine implements Disposable {
  readonly #show: (text: string | undefined) => void;
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #timer: ReturnType<typeof setTimeout>;
  #nextMs: number;
  /** Most are never shown, so none is made before. */
  #text: (() => string) | undefined;
  #begunMs: number | undefined;
  #isShown = false;

  /** @param show Draws the line anew; undefined takes it away. */
  constructor(show: (text: string | undefined) => void, clock: Pick<Clock, 'monotonicMs'>, text?: string) {
    this.#show = show;
    this.#clock = clock;
    this.#text = text === undefined ? undefined : () => text;
    this.#nextMs = clock.monotonicMs() + SHOWN_AFTER_MS;
    // Where nothing calls update() for long; where this thread is busy, update() is what shows it.
    this.#timer = setTimeout(() => this.#draw(), SHOWN_AFTER_MS);
  }

  /** How far it is since the first call, with rate and time left. */
  count(what: string, done: number, unit: string, total?: number): void {
    const nowMs = this.#clock.monotonicMs();
    this.#begunMs ??= nowMs;
    const elapsedMs = nowMs - this.#begunMs;
    this.#tell(() => progressText(what, { done, unit, elapsedMs, ...(total === undefined ? {} : { total }) }), nowMs);
  }

  update(text: string): void {
    this.#tell(() => text, this.#clock.monotonicMs());
  }

  #tell(text: () => string, nowMs: number): void {
    this.#text = text;
    if (nowMs >= this.#nextMs) this.#draw();
  }

  #draw(): void {
    if (this.#text === undefined) return;
    this.#nextMs = this.#clock.monotonicMs() + BETWEEN_MS;
    this.#isShown = true;
    this.#show(this.#text());
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    if (this.#isShown) this.#show(undefined);
    this.#isShown = false;
  }
}
