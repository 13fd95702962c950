import { type Bytes, bytesFromBuffer } from '../../bytes.ts';
import type { Hash } from '../../ports/hash.ts';

/** Bun's native SHA-256. */
export function createBunHash(): Hash {
  const digest = new Uint8Array(new ArrayBuffer(32));
  return {
    sha256(data) {
      Bun.SHA256.hash(data, digest);
      return bytesFromBuffer(digest);
    },
    createSha256() {
      const hasher = new Bun.SHA256();
      return {
        update: (data) => void hasher.update(data),
        digest(): Bytes {
          hasher.digest(digest);
          return bytesFromBuffer(digest);
        },
      };
    },
    createSha1() {
      const hasher = new Bun.SHA1();
      return {
        update: (data) => void hasher.update(data),
        digest: (): Bytes => bytesFromBuffer(Buffer.from(hasher.digest('hex'), 'hex')),
      };
    },
  };
}
