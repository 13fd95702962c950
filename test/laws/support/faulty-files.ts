import { SystemError } from '../../../src/errors.ts';
import type { Files } from '../../../src/ports/files.ts';

/** Makes one call of the file system fail, or every call from one on. */
export class FaultPlan {
  #calls = 0;
  #failAt = Number.POSITIVE_INFINITY;
  #errno = '';
  #isLasting = false;
  /** What failed. */
  failed: string | undefined;

  /** Counts from here; the nth call fails. */
  arm(turn: number, errno: string, { isLasting = false } = {}): void {
    this.#calls = 0;
    this.#failAt = turn;
    this.#errno = errno;
    this.#isLasting = isLasting;
    this.failed = undefined;
  }

  disarm(): void {
    this.#failAt = Number.POSITIVE_INFINITY;
  }

  check(call: string): void {
    this.#calls += 1;
    const isDue = this.#isLasting ? this.#calls >= this.#failAt && WRITES.has(call) : this.#calls === this.#failAt;
    if (!isDue) return;
    this.failed = call;
    throw new SystemError(call, this.#errno);
  }
}

/** What takes room on a disk. */
const WRITES = new Set(['createFile', 'openForAppend', 'createDirectory', 'createSymlink', 'write', 'setSize']);

/** Calls that cannot fail, or whose failure nobody can act on. */
const SAFE = new Set<PropertyKey>([Symbol.dispose, 'path']);

/** The file system with every call of it, and of what it opens, under the plan. */
export function makeFaulty(files: Files, plan: FaultPlan): Files {
  const targets = new WeakMap<object, object>();
  const wrap = <T extends object>(target: T): T => {
    const wrapped = new Proxy(target, {
      get(_, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        if (SAFE.has(name)) return value.bind(target);
        return (...words: readonly unknown[]) => {
          plan.check(String(name));
          // The adapters know their own objects only.
          const own = words.map((word) => (typeof word === 'object' && word !== null ? (targets.get(word) ?? word) : word));
          const result: unknown = Reflect.apply(value, target, own);
          return typeof result === 'object' && result !== null && Symbol.dispose in result ? wrap(result) : result;
        };
      },
    });
    targets.set(wrapped, target);
    return wrapped;
  };
  return wrap(files);
}
