import type { Bytes } from '../bytes.ts';

/** A SHA-256 in the making. One digest ends it. */
export interface Sha256Stream {
  update(data: Uint8Array): void;
  /** 32 bytes. */
  digest(): Bytes;
}

export interface Hash {
  /** @returns 32 bytes. */
  sha256(data: Uint8Array): Bytes;
  createSha256(): Sha256Stream;
}
