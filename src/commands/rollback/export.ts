import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError, SystemError, UsageError } from '../../errors.ts';
import { baseName, parentPath, resolvePath } from '../../paths.ts';
import type { Directory, Files } from '../../ports/files.ts';
import { rootPaths } from '../../rollback/restore-parts.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { exportHtml } from './export-html.ts';
import { exportTar } from './export-tar.ts';
import { spellingsInRoots } from './given-path.ts';
import { openNamedSession } from './open-store.ts';
import { patches } from './patches.ts';
import { type SessionView, viewSession } from './session-view.ts';
import { unpatchable } from './unpatchable.ts';

const FORMS = ['patch', 'tar', 'html'] as const;
type Form = (typeof FORMS)[number];

/** Nobody else's business: it holds what the files hold. */
const FILE_MODE = 0o600;
const STDOUT_NAMES: readonly string[] = ['-', '/dev/stdout', '/dev/fd/1', '/proc/self/fd/1'];

export async function execute({ values, positionals }: ParsedCall, context: Context): Promise<CommandResult> {
  const [form, another] = FORMS.filter((name) => values.has(name));
  if (form === undefined) throw new UsageError('Cannot export without a form: choose --patch, --tar or --html');
  if (another !== undefined) throw new UsageError(`Cannot use --${form} with --${another}: choose one`);
  const target = values.get(form)?.[0] as Bytes;
  const [wanted, ...paths] = positionals as [Bytes, ...Bytes[]];
  const named = await openNamedSession(context, wanted);
  const view = await viewSession(context, named, { verb: 'export', range: values.get('snapshot')?.[0], paths });
  const pieces = await render(form, view, context);
  if (STDOUT_NAMES.includes(target)) return { output: pieces, exitCode: EXIT.ok };
  const roots = [view.manifest, ...named.manifests].flatMap((manifest) => rootPaths(manifest));
  writeFile(context, target, pieces, roots);
  return { output: `Exported ${displayBytes(view.session.id)} to ${displayBytes(target)}\n`, exitCode: EXIT.ok };
}

async function render(form: Form, view: SessionView, context: Context): Promise<Iterable<Uint8Array>> {
  if (form === 'tar') return exportTar(view);
  if (form === 'html') return exportHtml(view, context);
  const left = unpatchable(view);
  if (left !== '') context.notify(`Not in the patch: ${left}`);
  return patches(view, { hash: context.hash, deflate: await context.loadDeflate() });
}

/** The file is there when it is complete; what stood under its name stays until then. @param roots What runs could write. */
function writeFile(context: Context, target: Bytes, pieces: Iterable<Uint8Array>, roots: readonly Bytes[]): void {
  const { files, workingDirectory, randomHex } = context;
  const temporary = `.nono-export-${randomHex(6)}` as Bytes;
  try {
    const [inRoot] = spellingsInRoots(context, target, roots);
    const path = inRoot ?? placeOf(files, resolvePath(workingDirectory ?? ('/' as Bytes), target));
    const name = baseName(path);
    using directory = inRoot === undefined ? files.openDirectory(parentPath(path)) : openWithoutLinks(files, path);
    const kind = name === '' ? 'directory' : directory.stat(name)?.kind;
    if (kind === 'directory') throw new SystemError('open', 'EISDIR', path);
    if (inRoot !== undefined && kind === 'symlink') throw planted(path);
    if (inRoot !== undefined && kind !== undefined && kind !== 'file') throw noFile(path);
    try {
      {
        using file = directory.createFile(temporary, FILE_MODE);
        for (const piece of pieces) file.write(piece);
        file.sync();
      }
      directory.rename(temporary, directory, name);
    } catch (error) {
      if (directory.stat(temporary) !== undefined) directory.removeFile(temporary);
      throw error;
    }
  } catch (error) {
    if (
      !isErrno(
        error,
        'ENOENT',
        'ENOTDIR',
        'EISDIR',
        'EACCES',
        'EPERM',
        'EROFS',
        'ENOSPC',
        'EDQUOT',
        'EFBIG',
        'EIO',
        'ENAMETOOLONG',
      )
    ) {
      throw error;
    }
    throw new NonoError('E_OUTPUT', EXIT.failure, `Cannot write "${displayBytes(target)}"`, {
      cause: error,
      hint: 'Give a file in a directory that is there and that you can write, or - for standard output',
    });
  }
}

/** Where the file is to be: a link stays, and what is no file is not made one. @throws {NonoError} */
function placeOf(files: Files, path: Bytes): Bytes {
  const kind = files.stat(path)?.kind;
  if (kind === undefined || kind === 'directory') return path;
  if (kind === 'file') return files.realPath(path) ?? path;
  throw noFile(path);
}

/** What a run could write may have links of the command's making, to have something else written: none is followed there. */
function openWithoutLinks(files: Files, path: Bytes): Directory {
  try {
    return files.openWithoutLinks(parentPath(path));
  } catch (error) {
    // What is no directory itself and leads to one is a link.
    if (isErrno(error, 'ELOOP') || (isErrno(error, 'ENOTDIR') && files.stat(parentPath(path))?.kind === 'directory'))
      throw planted(path);
    throw error;
  }
}

function planted(path: Bytes): NonoError {
  return new NonoError(
    'E_OUTPUT',
    EXIT.failure,
    `Cannot write "${displayBytes(path)}": a link leads elsewhere, where a run could put one`,
    {
      hint: 'Look at it: a command may have made it to have another file written. Remove it, or give another FILE',
    },
  );
}

function noFile(path: Bytes): NonoError {
  return new NonoError('E_OUTPUT', EXIT.failure, `Cannot write "${displayBytes(path)}": it is no regular file`, {
    hint: 'Give a file, or - for standard output',
  });
}
