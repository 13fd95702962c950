import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** The tree that the budgets are written for: 50,000 files, 284 MB. */
export const TREE = { files: 50_000, mu: 7.8, sigma: 1.3, outerDirectories: 97, innerDirectories: 31, seed: 7 };

/** Random bytes that the files' contents are cut from; larger than any file, but for the rare giant that repeats it. */
const POOL_BYTES = 4 * 1024 * 1024;

/**
 * Writes the tree below `directory`, which exists.
 *
 * Sizes are log-normal, which is how the files of source trees are spread. No two contents are equal: each begins
 * with its number. The same seed gives the same bytes everywhere.
 *
 * @returns the relative paths in the order of their numbers, and the sum of the sizes.
 */
export function makeTree(directory, { files = TREE.files } = {}) {
  const random = mulberry32(TREE.seed);
  const pool = Buffer.alloc(POOL_BYTES);
  for (let at = 0; at < POOL_BYTES; at += 4) pool.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  for (let outer = 0; outer < TREE.outerDirectories; outer++) {
    for (let inner = 0; inner < TREE.innerDirectories; inner++) {
      mkdirSync(join(directory, nameOf('d', outer), nameOf('e', inner)), { recursive: true });
    }
  }
  const paths = [];
  let totalBytes = 0;
  for (let number = 0; number < files; number++) {
    const sizeBytes = Math.round(Math.exp(TREE.mu + TREE.sigma * normal(random)));
    const outer = number % TREE.outerDirectories;
    const inner = Math.floor(number / TREE.outerDirectories) % TREE.innerDirectories;
    const path = join(nameOf('d', outer), nameOf('e', inner), `f${number}.txt`);
    writeContent(join(directory, path), { number, sizeBytes, pool });
    paths.push(path);
    totalBytes += sizeBytes;
  }
  return { paths, totalBytes };
}

function nameOf(letter, number) {
  return `${letter}${String(number).padStart(2, '0')}`;
}

function writeContent(path, { number, sizeBytes, pool }) {
  const head = Buffer.from(`${number}\n`).subarray(0, sizeBytes);
  const descriptor = openSync(path, 'wx', 0o644);
  writeSync(descriptor, head);
  for (let left = sizeBytes - head.length; left > 0; ) {
    // A file larger than the pool takes all of it again and again; others take a part from another place each.
    const start = left >= pool.length ? 0 : (number * 8191) % (pool.length - left);
    left -= writeSync(descriptor, pool, start, Math.min(left, pool.length - start));
  }
  closeSync(descriptor);
}

/** A small generator of known quality; the language has none that takes a seed. */
function mulberry32(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Box and Muller's way to a normal deviate; 1 - x keeps the logarithm away from 0. */
function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
