import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import fc from 'fast-check';

/** Names are latin1 strings, one unit for each byte, as the kernel has them. */
const NAMES = [
  'a',
  'b',
  'c',
  'README.md',
  'src',
  'new\nline',
  'caf\xc3\xa9',
  'bad\xff\xfe',
  ' space ',
  '.env',
  '-rf',
  'x'.repeat(255),
];

const name = fc.constantFrom(...NAMES);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const content = fc.oneof(
  fc.string({ maxLength: 40 }).map((text) => Buffer.from(text)),
  fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
  fc.constantFrom(Buffer.alloc(0), Buffer.alloc(5000, 'line\n'), Buffer.alloc(1_100_000, 'z')),
);
const isRoot = process.getuid?.() === 0;
/** What an ordinary user cannot read at the baseline is not tracked, and the laws are about what is. */
const startMode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, isRoot ? 0o000 : 0o400, 0o4755, 0o2755);
const mode = fc.constantFrom(0o644, 0o755, 0o600, 0o444, 0o000, 0o4755, 0o2755);
const directoryMode = fc.constantFrom(0o755, 0o700, 0o555, 0o1777, 0o2775);
const target = fc.constantFrom('a', '../b', '/etc/passwd', 'nowhere', '.', 'bad\xff');
/** Whole and odd nanoseconds, before 1970 and after 2038. */
const seconds = fc.constantFrom(1_000_000_000, 1_700_000_001, 4_000_000_000, 5);

export type Operation =
  | { readonly kind: 'write'; readonly path: string; readonly content: Buffer; readonly mode: number }
  | { readonly kind: 'directory'; readonly path: string; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'hard-link'; readonly path: string; readonly to: string }
  | { readonly kind: 'mode'; readonly path: string; readonly mode: number }
  | { readonly kind: 'touch'; readonly path: string; readonly seconds: number }
  | { readonly kind: 'same-size'; readonly path: string }
  | { readonly kind: 'fifo'; readonly path: string };

const making: fc.Arbitrary<Operation>[] = [
  fc.record({ kind: fc.constant('write' as const), path, content, mode: startMode }),
  fc.record({ kind: fc.constant('directory' as const), path, mode: directoryMode }),
  fc.record({ kind: fc.constant('link' as const), path, target }),
  fc.record({ kind: fc.constant('hard-link' as const), path, to: path }),
  fc.record({ kind: fc.constant('touch' as const), path, seconds }),
];

/** Operations that make a tree out of nothing. */
export const treeScript = fc.array(fc.oneof(...making), { maxLength: 14 });

/** Operations of a program that runs in the tree. */
export const editScript = fc.array(
  fc.oneof(
    ...making,
    fc.record({ kind: fc.constant('remove' as const), path }),
    fc.record({ kind: fc.constant('rename' as const), path, to: path }),
    fc.record({ kind: fc.constant('mode' as const), path, mode }),
    fc.record({ kind: fc.constant('same-size' as const), path }),
    fc.record({ kind: fc.constant('fifo' as const), path }),
  ),
  { maxLength: 14 },
);

/** Carries out a script below `root`; what is impossible (a file as a directory, a missing source) is passed over. */
export function perform(root: string, script: readonly Operation[]): void {
  for (const operation of script) {
    try {
      performOne(root, operation);
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

function isRefusal(error: unknown): boolean {
  const codes = ['ENOENT', 'EEXIST', 'ENOTDIR', 'EISDIR', 'ENOTEMPTY', 'EINVAL', 'ELOOP', 'EPERM', 'EACCES', 'ERR_FS_EISDIR'];
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

function performOne(root: string, operation: Operation): void {
  const at = bytes(root, operation.path);
  switch (operation.kind) {
    case 'write':
      makeParents(root, operation.path);
      refuseLink(at);
      fs.writeFileSync(at, operation.content);
      fs.chmodSync(at, operation.mode);
      return;
    case 'directory':
      makeParents(root, operation.path);
      fs.mkdirSync(at);
      fs.chmodSync(at, operation.mode);
      return;
    case 'link':
      makeParents(root, operation.path);
      fs.symlinkSync(Buffer.from(operation.target, 'latin1'), at);
      return;
    case 'remove':
      fs.rmSync(at, { recursive: true });
      return;
    case 'rename':
      makeParents(root, operation.to);
      fs.renameSync(at, bytes(root, operation.to));
      return;
    case 'hard-link':
      makeParents(root, operation.to);
      fs.linkSync(at, bytes(root, operation.to));
      return;
    case 'mode':
      refuseLink(at);
      // An ordinary user's snapshot does not see into a directory that was closed to him, and says so: the laws are about the rest.
      fs.chmodSync(at, isRoot || !fs.statSync(at).isDirectory() ? operation.mode : operation.mode | 0o500);
      return;
    case 'touch':
      fs.lutimesSync(at, operation.seconds, operation.seconds);
      return;
    case 'same-size':
      changeKeepingTimes(at);
      return;
    case 'fifo':
      makeParents(root, operation.path);
      if (fs.lstatSync(at, { throwIfNoEntry: false }) !== undefined) return;
      // The descriptor keeps the bytes of the directory's name out of the command line.
      const descriptor = fs.openSync(root, 'r');
      execFileSync('bash', ['-c', `mkfifo -- "$(printf '${octal(`/proc/self/fd/3/${operation.path}`)}')"`], {
        stdio: ['ignore', 'ignore', 'inherit', descriptor],
      });
      fs.closeSync(descriptor);
  }
}

function octal(path: string): string {
  return Array.from(path, (unit) => `\\${unit.charCodeAt(0).toString(8).padStart(3, '0')}`).join('');
}

/** Another content of the same size under the same mtime. */
function changeKeepingTimes(at: Buffer): void {
  refuseLink(at);
  const stat = fs.lstatSync(at);
  if (!stat.isFile()) return;
  const data = fs.readFileSync(at).map((byte) => byte ^ 1);
  fs.writeFileSync(at, data);
  fs.utimesSync(at, stat.atime, stat.mtime);
}

/** A generated link may lead out of the tree, where the test has no business. */
function refuseLink(at: Buffer): void {
  const stat = fs.lstatSync(at, { throwIfNoEntry: false });
  if (stat?.isSymbolicLink() === true || stat?.isFIFO() === true) throw Object.assign(new Error('a link'), { code: 'ELOOP' });
}

function makeParents(root: string, path: string): void {
  const parts = path.split('/').slice(0, -1);
  for (let count = 1; count <= parts.length; count++) {
    const at = bytes(root, parts.slice(0, count).join('/'));
    const stat = fs.lstatSync(at, { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) continue;
    fs.mkdirSync(at);
  }
}

/** Every component on the way is checked, because a generated link may lead out of the tree. */
function bytes(root: string, path: string): Buffer {
  const parts = path.split('/');
  for (let count = 1; count < parts.length; count++) {
    const parent = Buffer.concat([Buffer.from(root), Buffer.from(`/${parts.slice(0, count).join('/')}`, 'latin1')]);
    if (fs.lstatSync(parent, { throwIfNoEntry: false })?.isSymbolicLink() === true) {
      throw Object.assign(new Error('a link on the way'), { code: 'ELOOP' });
    }
  }
  return Buffer.concat([Buffer.from(root), Buffer.from(`/${path}`, 'latin1')]);
}
