import { closeSync, openSync, readSync } from 'node:fs';

/** Large enough to make calls rare, small enough to stay in cache. */
const CHUNK_BYTES = 4 * 1024 * 1024;

/** Where every Bun executable says that its own files are: `/$bunfs/root/…` is not root's home directory. */
const BUN_FILE_SYSTEMS = ['$bunfs', '~BUN'];

/** Which of these directories the file names, as UTF-8 or as UTF-16 (how engines keep strings that are not Latin-1). */
export function findPaths(file, directories) {
  const patterns = directories.flatMap((directory) =>
    ['utf8', 'utf16le'].map((encoding) => ({
      directory,
      bytes: Buffer.from(`${directory}/`, encoding),
      excuses: BUN_FILE_SYSTEMS.map((name) => Buffer.from(name, encoding)),
    })),
  );
  const overlap = Math.max(...patterns.map(({ bytes, excuses }) => bytes.length + longest(excuses)));
  const found = new Set();
  const descriptor = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(overlap + CHUNK_BYTES);
    let kept = 0;
    for (;;) {
      const count = readSync(descriptor, buffer, kept, CHUNK_BYTES, null);
      if (count === 0) return [...found];
      const window = buffer.subarray(0, kept + count);
      for (const pattern of patterns) if (occurs(window, pattern)) found.add(pattern.directory);
      kept = Math.min(overlap, window.length);
      buffer.copyWithin(0, window.length - kept, window.length);
    }
  } finally {
    closeSync(descriptor);
  }
}

/** A match at the start of a window was judged in the window before, which showed what stands before it. */
function occurs(window, { bytes, excuses }) {
  const first = longest(excuses);
  for (let at = window.indexOf(bytes, first); at >= 0; at = window.indexOf(bytes, at + 1)) {
    if (!excuses.some((excuse) => window.subarray(at - excuse.length, at).equals(excuse))) return true;
  }
  return false;
}

function longest(buffers) {
  return Math.max(...buffers.map(({ length }) => length));
}
