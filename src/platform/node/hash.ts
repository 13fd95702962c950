import { createHash } from 'node:crypto';
import { type Bytes, bytesFromBuffer } from '../../bytes.ts';
import type { Hash } from '../../ports/hash.ts';

export function createNodeHash(): Hash {
  return {
    sha256: (data) => bytesFromBuffer(createHash('sha256').update(data).digest()),
    createSha256() {
      const hasher = createHash('sha256');
      return {
        update: (data) => void hasher.update(data),
        digest: (): Bytes => bytesFromBuffer(hasher.digest()),
      };
    },
  };
}
