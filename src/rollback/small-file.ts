import type { Bytes } from '../bytes.ts';
import { isErrno } from '../errors.ts';
import type { Directory, OpenFile } from '../ports/files.ts';

/** Enough for what people write by hand. */
const BYTES_MAXIMUM = 1024 * 1024;

/** The bytes of a regular file; undefined when it is none, is not readable or is too large. */
export function readSmallFile(directory: Directory, name: Bytes, maximumBytes = BYTES_MAXIMUM): Bytes | undefined {
  try {
    using file = directory.openFile(name);
    const { kind, sizeBytes } = file.stat();
    if (kind !== 'file' || sizeBytes > maximumBytes) return undefined;
    return readUpTo(file, sizeBytes).toString('latin1') as Bytes;
  } catch (error) {
    if (isErrno(error, 'ENOENT', 'ENOTDIR', 'ELOOP', 'EACCES', 'EAGAIN', 'ENXIO', 'EXDEV')) return undefined;
    throw error;
  }
}

/** What `file` holds from its position on, up to `sizeBytes`; less when it has become shorter. */
export function readUpTo(file: OpenFile, sizeBytes: number): Buffer {
  const data = Buffer.alloc(sizeBytes);
  let length = 0;
  while (length < sizeBytes) {
    const got = file.read(data.subarray(length));
    if (got === 0) break;
    length += got;
  }
  return data.subarray(0, length);
}
