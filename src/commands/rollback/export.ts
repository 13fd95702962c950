import { type Bytes, displayBytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError, SystemError, UsageError } from '../../errors.ts';
import { baseName, parentPath, resolvePath } from '../../paths.ts';
import type { Files } from '../../ports/files.ts';
import type { Context } from '../context.ts';
import type { CommandResult, ParsedCall } from '../spec.ts';
import { exportHtml } from './export-html.ts';
import { exportTar } from './export-tar.ts';
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
  writeFile(context, target, pieces);
  return { output: `Exported ${displayBytes(view.session.id)} to ${displayBytes(target)}\n`, exitCode: EXIT.ok };
}

async function render(form: Form, view: SessionView, context: Context): Promise<Iterable<Uint8Array>> {
  if (form === 'tar') return exportTar(view);
  if (form === 'html') return exportHtml(view, context);
  const left = unpatchable(view);
  if (left !== '') context.notify(`Not in the patch: ${left}`);
  return patches(view, { hash: context.hash, deflate: await context.loadDeflate() });
}

/** The file is there when it is complete; what stood under its name stays until then. */
function writeFile({ files, workingDirectory, randomHex }: Context, target: Bytes, pieces: Iterable<Uint8Array>): void {
  if (workingDirectory === undefined && !target.startsWith('/')) {
    throw new UsageError(`Cannot use "${displayBytes(target)}": the working directory is gone`, {
      hint: 'Give an absolute path',
    });
  }
  const path = placeOf(files, resolvePath(workingDirectory ?? ('/' as Bytes), target));
  const name = baseName(path);
  const temporary = `.nono-export-${randomHex(6)}` as Bytes;
  try {
    using directory = files.openDirectory(parentPath(path));
    if (name === '' || directory.stat(name)?.kind === 'directory') throw new SystemError('open', 'EISDIR', path);
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
  throw new NonoError('E_OUTPUT', EXIT.failure, `Cannot write "${displayBytes(path)}": it is no regular file`, {
    hint: 'Give a file, or - for standard output',
  });
}
