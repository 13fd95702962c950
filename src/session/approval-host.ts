import type { Bytes } from '../bytes.ts';
import { bytesFromText, displayBytes } from '../bytes.ts';
import { SystemError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Directory, Files } from '../ports/files.ts';
import { type Question, questionDocument } from './question.ts';

/** Runs a command of the user's, outside the sandbox, with this text as its input; nobody waits for it. */
export type RunHook = (command: string, input: string) => void;

const PROGRAM_NAME_BYTES = 64;

/** The short name of a process, as /proc has it; undefined when it is gone. */
export function programName(files: Files, pid: number): string | undefined {
  const name = new Uint8Array(PROGRAM_NAME_BYTES);
  try {
    using directory: Directory = files.openDirectory(`/proc/${pid}` as Bytes);
    using file = directory.openFile('comm' as Bytes);
    const length = file.read(name);
    return displayBytes(bytesFromText(Buffer.from(name.subarray(0, length)).toString('latin1').trimEnd()));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}

/** What a hook reads: the question, and whose it is. */
export function hookInput(
  question: Question,
  { sessionId, name, clock }: { readonly sessionId: string; readonly name: string; readonly clock: Clock },
): string {
  return `${JSON.stringify({ session_id: sessionId, name, ...questionDocument(question, clock) })}\n`;
}
