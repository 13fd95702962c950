import type { Bytes } from '../bytes.ts';

/** How many bytes an ordinary user may still write to the file system of `path`; undefined where that cannot be told. */
export type FreeBytes = (path: Bytes) => number | undefined;
