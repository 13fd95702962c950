import { type Bytes, bufferFromBytes, bytesFromText, storeBytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import { baseName, parentPath } from '../paths.ts';
import type { Files } from '../ports/files.ts';
import type { Hash } from '../ports/hash.ts';
import type { Launch } from '../sandbox/launch.ts';
import type { AuditEvent } from './audit-event.ts';
import type { SessionIdentity } from './record.ts';
import { redactCommand } from './redact.ts';

const PIECE_BYTES = 1024 * 1024;

/**
 * SHA-256 of all that is enforced, in hex digits: by the kernel, and by the mediator, who goes by what is shared. Two sessions have the same one
 * when the same was enforced: the session's own temporary directory goes in without its random name.
 */
export function policyDigest(
  { landlock, filter, capabilities }: Launch,
  { network, shared }: Pick<SessionIdentity, 'network' | 'shared'>,
  { temporaryDirectory, hash }: { readonly temporaryDirectory: Bytes; readonly hash: Hash },
): string {
  const policy = { landlock, filter, capabilities, network, shared };
  const text = bytesFromText(JSON.stringify(policy).replaceAll(temporaryDirectory, '$TMPDIR'));
  return Buffer.from(hash.sha256(bufferFromBytes(text)), 'latin1').toString('hex');
}

export function startEvent(
  identity: Omit<SessionIdentity, 'name'>,
  { name, policy }: { readonly name: string; readonly policy: string },
): AuditEvent {
  return {
    event: 'start',
    session_id: identity.id,
    name,
    supervisor_pid: identity.supervisor.pid,
    command: redactCommand(identity.command).map(storeBytes),
    workdir: storeBytes(identity.workingDirectory),
    profile: identity.profile,
    network: identity.network,
    policy_digest: policy,
    enforced: identity.enforced,
  };
}

/** The command runs: what it is, once its file has been read. @see digestExecutable */
export async function executedEvent(
  { files, hash }: { readonly files: Files; readonly hash: Hash },
  { executables }: Pick<Launch, 'executables'>,
  pid: number,
  over: AbortSignal,
): Promise<AuditEvent> {
  const executable = executables[0] as Bytes;
  const digest = await digestExecutable(files, hash, executable, over);
  return { event: 'executed', child_pid: pid, executable: storeBytes(executable), executable_digest: digest };
}

/**
 * SHA-256 in hex digits of the file that the command is, read piece by piece, each in a turn of the loop of its own, while
 * the command runs.
 *
 * @param over The command has ended: nobody waits for the rest.
 * @returns null when the file cannot be read, or the command ended first.
 */
async function digestExecutable(files: Files, hash: Hash, path: Bytes, over: AbortSignal): Promise<string | null> {
  const real = files.realPath(path) ?? path;
  const stream = hash.createSha256();
  const piece = new Uint8Array(PIECE_BYTES);
  try {
    using directory = files.openDirectory(parentPath(real));
    using file = directory.openFile(baseName(real));
    for (let length = file.read(piece); length > 0; length = file.read(piece)) {
      stream.update(piece.subarray(0, length));
      if (length === PIECE_BYTES) await new Promise((resolve) => setTimeout(resolve, 0));
      if (over.aborted) return null;
    }
  } catch (error) {
    if (error instanceof SystemError) return null; // Executable, but not readable.
    throw error;
  }
  return Buffer.from(stream.digest(), 'latin1').toString('hex');
}
