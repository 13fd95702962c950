import { type Bytes, bufferFromBytes, bytesFromText, displayBytes, isUtf8, textFromBytes } from '../../bytes.ts';
import { addToProfile, type PathList } from '../../config/add-to-profile.ts';
import { mayBeThere, profileFile } from '../../config/config-path.ts';
import { isProfilePath, type ProfilePlaces, profilePath } from '../../config/profiles.ts';
import { readTextFile } from '../../config/text-file.ts';
import { EXIT, NonoError } from '../../errors.ts';
import { baseName, joinPath, parentPath } from '../../paths.ts';
import type { Files } from '../../ports/files.ts';
import { type Access, READ, READ_WRITE } from '../../sandbox/plan.ts';
import type { World } from '../../sandbox/policy.ts';
import { findOverlap, type SensitivePlace, sensitiveNames } from '../../sandbox/sensitive.ts';
import type { OwnProfile, Proposal } from '../../session/question.ts';
import { writeNewFile } from '../policy/write-new-file.ts';

const FILE_MODE = 0o600;
const PERMISSIONS = 0o777;

/** What of a question a grant is made of. */
export interface Grantable {
  /** As accessWord() says it. */
  readonly access: string;
  readonly paths: readonly Bytes[];
}

/** A grant, and the profile as it would be with it. */
interface Draft {
  readonly list: PathList;
  /** What links lead to, as in a home that is kept in git. */
  readonly file: Bytes;
  /** Undefined where there is no such profile yet. */
  readonly before: string | undefined;
  readonly after: string;
  readonly proposal: Proposal;
}

type Places = Pick<ProfilePlaces, 'files' | 'directory' | 'workingDirectory' | 'homeDirectory'> &
  Pick<World, 'stateDirectory' | 'uid'>;

/** The user's own profile of that name, which adds to a built-in one; one that was given by its path is that file. */
export function ownProfile(name: string, { files, directory, workingDirectory, ...places }: Places): OwnProfile {
  const { homeDirectory } = places;
  const reference = bytesFromText(name);
  const file = isProfilePath(reference)
    ? profilePath(reference, { homeDirectory, workingDirectory })
    : profileFile(directory, name);
  const closed = sensitiveNames(places).filter(({ path, isAbsolute }) => isAbsolute || mayBeThere(files, path));
  return { file, name, closed };
}

/**
 * The lines that an answer for good adds to the user's own profile. Nothing is written.
 *
 * @throws {NonoError} where no profile can say it, or the file is written in a way that takes a person.
 */
export function proposeGrant(files: Files, wanted: Grantable, profile: OwnProfile): Proposal {
  return draftGrant(files, wanted, profile).proposal;
}

/**
 * Writes them, so that the file is as it was or whole.
 *
 * @param shown The file that was said to be written: where a profile lies in reach of the command it may be a link by now.
 * @param temporaryName Of nobody else's in that directory.
 * @returns what is to be noted with the answer.
 * @throws {NonoError} as proposeGrant(), and when somebody else wrote it at that moment.
 */
export async function writeGrant(
  files: Files,
  wanted: Grantable,
  profile: OwnProfile,
  { shown, temporaryName }: { readonly shown: string; readonly temporaryName: Bytes },
): Promise<string> {
  const { list, file, before, after, proposal } = draftGrant(files, wanted, profile);
  if (proposal.file !== shown) throw changedMeanwhile(file);
  if (before === undefined) await writeNewFile(files, file, after, { temporaryName, followsLinks: false });
  else await replaceText(files, file, { before, after, temporaryName });
  return `always: ${list} of ${shown}`;
}

function draftGrant(files: Files, wanted: Grantable, { file: named, name, closed }: OwnProfile): Draft {
  const { list, path } = grantOf(wanted);
  refuseClosed(list, path, closed);
  const file = placeOf(files, named);
  const before = readTextFile(files, file);
  const fileName = displayBytes(file);
  const after = addToProfile(before, { list, path, extended: name, fileName });
  const extending = before === undefined ? [`extends = ${JSON.stringify(name)}`] : [];
  // What a terminal must not be sent, or what nobody could see, is shown escaped.
  const lines = [...extending, '[filesystem]', displayBytes(bytesFromText(`${list} = [${JSON.stringify(path)}]`))];
  return { list, file, before, after, proposal: { file: fileName, isNew: before === undefined, lines } };
}

/** @throws {NonoError} for a directory that no run shares: from then on each with that profile would be refused. */
function refuseClosed(list: PathList, path: string, closed: readonly SensitivePlace[]): void {
  const access = DIRECTORIES[list];
  const overlap = access && findOverlap(bytesFromText(path), access, closed);
  if (overlap === undefined) return;
  const { place } = overlap;
  throw new NonoError(
    'E_REFUSED',
    EXIT.failure,
    `Cannot write this answer into a profile: that takes ${displayBytes(bytesFromText(path))}, which has ${displayBytes(place.path)} in it, ${place.what}`,
    { hint: 'Allow it for the session, and share a narrower directory in the profile yourself' },
  );
}

/** The lists that share a whole directory, and for what. */
const DIRECTORIES: Readonly<Partial<Record<PathList, Access>>> = { allow: READ_WRITE, read: READ };

/** Where a file is or will be, without links: a directory on the way may be one by now, and what is shown is what is written. */
function placeOf(files: Files, path: Bytes): Bytes {
  return files.realPath(path) ?? joinPath(placeOf(files, parentPath(path)), baseName(path));
}

function grantOf({ access, paths: [path = '' as Bytes, ...others] }: Grantable): {
  readonly list: PathList;
  readonly path: string;
} {
  if (others.length > 0 || !isUtf8(path)) {
    throw new NonoError(
      'E_REFUSED',
      EXIT.failure,
      'Cannot write this answer into a profile: it is about several paths, or one that is no text',
      {
        hint: 'Allow it for the session, and write the profile yourself',
      },
    );
  }
  const list = LISTS[access];
  if (list === undefined) throw new TypeError(`Expected an access that has a list, not ${access}`);
  // To make a file takes the right to do that in its directory.
  return { list, path: textFromBytes(access === 'create' ? parentPath(path) : path) };
}

const LISTS: Readonly<Record<string, PathList>> = {
  read: 'read_file',
  write: 'write_file',
  'read and write': 'allow_file',
  create: 'allow',
  list: 'read',
  connect: 'allow_socket',
};

interface Replacement {
  readonly before: string;
  readonly after: string;
  readonly temporaryName: Bytes;
}

async function replaceText(files: Files, path: Bytes, { before, after, temporaryName }: Replacement): Promise<void> {
  using directory = files.openWithoutLinks(parentPath(path));
  using file = directory.createFile(temporaryName, (directory.stat(baseName(path))?.mode ?? FILE_MODE) & PERMISSIONS);
  try {
    file.write(bufferFromBytes(bytesFromText(after)));
    await file.syncLater();
    if (readTextFile(files, path) !== before) throw changedMeanwhile(path);
    directory.rename(temporaryName, directory, baseName(path));
  } catch (error) {
    directory.removeFile(temporaryName);
    throw error;
  }
  await directory.syncLater();
}

function changedMeanwhile(path: Bytes): NonoError {
  return new NonoError('E_REFUSED', EXIT.failure, `Cannot write "${displayBytes(path)}": somebody else did at this moment`, {
    hint: 'Answer once more',
  });
}
