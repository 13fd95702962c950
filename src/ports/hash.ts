import type { Bytes } from '../bytes.ts';

/** A hash in the making. One digest ends it. */
export interface HashStream {
  update(data: Uint8Array): void;
  /** 32 bytes of SHA-256, 20 of SHA-1. */
  digest(): Bytes;
}

/** The same bytes give the same digest on every adapter. */
export interface Hash {
  /** @returns 32 bytes. */
  sha256(data: Uint8Array): Bytes;
  createSha256(): HashStream;
  /** What git calls a content by; never for what has to withstand an attack. */
  createSha1(): HashStream;
}
