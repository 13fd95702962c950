import type { OpenFile } from '../ports/files.ts';

/** Runs of zeros of this size and alignment become holes; smaller ones are not worth a call. */
const BLOCK_BYTES = 64 * 1024;

/** Writes a file from its start and leaves holes where there are only zeros. */
export class SparseWriter {
  readonly #file: OpenFile;
  readonly #zeros = Buffer.alloc(BLOCK_BYTES);
  #sizeBytes = 0;
  #endsInHole = false;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  /** @param data Pieces of a multiple of 64 KiB, except the last. */
  write(data: Uint8Array): void {
    const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    for (let at = 0; at < bytes.length; ) {
      const isHole = this.#isZero(bytes, at);
      let end = at;
      while (end < bytes.length && this.#isZero(bytes, end) === isHole) end = Math.min(end + BLOCK_BYTES, bytes.length);
      if (isHole) this.#file.skip(end - at);
      else this.#file.write(bytes.subarray(at, end));
      this.#endsInHole = isHole;
      at = end;
    }
    this.#sizeBytes += bytes.length;
  }

  /** Gives the file its size when it ends in a hole. */
  finish(): void {
    if (this.#endsInHole) this.#file.setSize(this.#sizeBytes);
  }

  #isZero(bytes: Buffer, at: number): boolean {
    const end = Math.min(at + BLOCK_BYTES, bytes.length);
    return bytes[at] === 0 && bytes.subarray(at, end).equals(this.#zeros.subarray(0, end - at));
  }
}
