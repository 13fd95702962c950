import { type Bytes, bytesFromStored } from '../bytes.ts';
import { DamageError } from '../errors.ts';

/** A day before the last moment that a Date holds (ECMA-262, Time Values). */
const LAST_DATE_MS = 8_640_000_000_000_000 - 86_400_000;

/** Reads the fields of a document that may hold anything; unknown fields are ignored. */
export class Fields {
  readonly #document: Record<string, unknown>;
  readonly #path: string;
  readonly #prefix: string;

  constructor(document: Record<string, unknown>, path: string, prefix = '') {
    this.#document = document;
    this.#path = path;
    this.#prefix = prefix;
  }

  value(name: string): unknown {
    return this.#document[name];
  }

  wrong(name: string): DamageError {
    return damaged(this.#path, `field "${this.#prefix}${name}" is wrong`);
  }

  text(name: string): string {
    const value = this.value(name);
    if (typeof value !== 'string') throw this.wrong(name);
    return value;
  }

  flag(name: string): boolean {
    const value = this.value(name);
    if (typeof value !== 'boolean') throw this.wrong(name);
    return value;
  }

  count(name: string): number {
    const value = this.value(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw this.wrong(name);
    return value;
  }

  /** Milliseconds since 1970 that are a date wherever on earth. */
  time(name: string): number {
    const value = this.count(name);
    if (value > LAST_DATE_MS) throw this.wrong(name);
    return value;
  }

  oneOf<T extends string>(name: string, values: readonly T[]): T {
    const found = values.find((value) => value === this.value(name));
    if (found === undefined) throw this.wrong(name);
    return found;
  }

  hash(name: string): Bytes {
    const value = this.text(name);
    if (!/^[0-9a-f]{64}$/.test(value)) throw this.wrong(name);
    return Buffer.from(value, 'hex').toString('latin1') as Bytes;
  }

  bytes(name: string): Bytes {
    return this.asBytes(name, this.value(name));
  }

  asBytes(name: string, value: unknown): Bytes {
    const bytes = bytesFromStored(value);
    if (bytes === undefined || bytes.includes('\0')) throw this.wrong(name);
    return bytes;
  }

  list(name: string): readonly unknown[] {
    const value = this.value(name);
    if (!Array.isArray(value)) throw this.wrong(name);
    return value;
  }

  optional<T>(name: string, read: () => T): T | undefined {
    const value = this.value(name);
    return value === null || value === undefined ? undefined : read();
  }

  inside(name: string, value: unknown): Fields {
    if (typeof value !== 'object' || value === null) throw this.wrong(name);
    return new Fields(value as Record<string, unknown>, this.#path, `${this.#prefix}${name}.`);
  }
}

/** @param path Of the file, for the message. @param what Is wrong with it. */
export function damaged(path: string, what: string, cause?: unknown): DamageError {
  return new DamageError(`Cannot read "${path}": ${what}`, { cause });
}
