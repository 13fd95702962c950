import { SystemError } from '../../errors.ts';

/** Starts a process: what the machine refuses (descriptors, memory, another process) is thrown as the errno of a call, as elsewhere. */
export function orSystemError<Started>(start: () => Started): Started {
  try {
    return start();
  } catch (error) {
    if (error instanceof Error && 'syscall' in error && 'code' in error)
      throw new SystemError(String(error.syscall), String(error.code));
    throw error;
  }
}
