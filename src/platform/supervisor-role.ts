import { explainMachine, NonoError } from '../errors.ts';
import { encodeLine, LineReader } from '../json-lines.ts';
import { StartedGuardian } from '../session/guarded-command.ts';
import { describeStartFailure, type SessionStart, type StartReport } from '../session/start-wire.ts';
import { startBunPty } from './bun/pty.ts';
import { followDescriptor, writeAll } from './linux/channel.ts';
import { syscall } from './linux/syscalls.ts';

/** The channel to the starter. */
const CHANNEL = 3;

/** The supervisor role: waits for its instructions and lives as long as the session. */
export function runSupervisor(): void {
  // At once, because it takes as long to start as the rest takes to prepare; without a command it ends with this process.
  const guardian = startGuardian();
  // All that a session needs is read while the guardian starts.
  const loading = import('./supervision.ts');
  const lines = new LineReader<SessionStart>('whoever starts the session');
  const starter = new AbortController();
  let isTold = false;
  followDescriptor(CHANNEL, (data) => {
    // A starter that died without a word wanted nothing.
    if (data.length === 0 && !isTold) process.exit(0);
    if (data.length === 0) starter.abort();
    try {
      for (const start of lines.push(data)) {
        isTold = true;
        if (guardian instanceof NonoError) refuse(guardian);
        else void loading.then(({ hostSupervisor }) => hostSupervisor(start, { guardian, starterGone: starter.signal, report }));
      }
    } catch (error) {
      if (!(error instanceof NonoError) || isTold) throw error;
      refuse(error);
    }
  });
}

/** What went wrong is told when the starter listens for it. */
function startGuardian(): StartedGuardian | NonoError {
  try {
    return new StartedGuardian(startBunPty);
  } catch (error) {
    const explained = explainMachine(error);
    if (explained instanceof NonoError) return explained;
    throw error;
  }
}

function refuse(error: NonoError): never {
  report({ kind: 'failed', error: describeStartFailure(error) });
  process.exit(0);
}

function report(message: StartReport): void {
  writeAll(CHANNEL, encodeLine(message));
  // The starter waits for the end, so that nothing of the session holds on to it.
  if (message.kind === 'ready' || message.kind === 'failed') syscall('shutdown', CHANNEL, 2);
}
