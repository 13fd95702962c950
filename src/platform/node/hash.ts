import { createHash } from 'node:crypto';
import { type Bytes, bytesFromBuffer } from '../../bytes.ts';
import type { Hash, HashStream } from '../../ports/hash.ts';

export function createNodeHash(): Hash {
  return {
    sha256: (data) => bytesFromBuffer(createHash('sha256').update(data).digest()),
    createSha256: () => createStream('sha256'),
    createSha1: () => createStream('sha1'),
  };
}

function createStream(algorithm: string): HashStream {
  const hasher = createHash(algorithm);
  return {
    update: (data) => void hasher.update(data),
    digest: (): Bytes => bytesFromBuffer(hasher.digest()),
  };
}
