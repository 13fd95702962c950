import { type Bytes, bufferFromBytes, bytesFromText } from '../../bytes.ts';
import { EXIT, isErrno, NonoError } from '../../errors.ts';
import type { ListenerTaker } from '../../ports/spawn.ts';
import { MEDIATOR_ROLE } from '../../sandbox/launch.ts';
import { MEDIATOR_ANSWER, MEDIATOR_QUESTION } from '../../sandbox/linux/mediation.ts';
import { sendDescriptor, socketPair } from './descriptor-passing.ts';
import { startDetached } from './detached-process.ts';
import { type PreparedMediator, prepareMediator } from './mediator/start.ts';
import { readSmallFile } from './small-files.ts';
import { addressOf, errnoName, syscall, trySyscall } from './syscalls.ts';

/** The same file that this process runs, even when another version was installed over it. */
const OWN_EXECUTABLE = '/proc/self/exe' as Bytes;
/** Compiling what runs once costs more than it gains. Nothing of the caller's is in it. */
const ENVIRONMENT = [bytesFromText('BUN_JSC_useBaselineJIT=0')];
/** 1 and above: only ancestors, administrators, or nobody (Documentation/admin-guide/LSM/Yama.rst). */
const YAMA_SCOPE = '/proc/sys/kernel/yama/ptrace_scope';
const NO_DESCRIPTOR = -1;

/** @see SandboxHost.isMediated() */
export function isMediated(): boolean {
  const question = Buffer.from(MEDIATOR_QUESTION);
  return errnoName(-trySyscall('connect', NO_DESCRIPTOR, addressOf(question), question.length)) === MEDIATOR_ANSWER;
}

/** @see SandboxHost.mediatesFromOutside() */
export function mediatesFromOutside(): boolean {
  try {
    return readSmallFile(YAMA_SCOPE).trim() === '0';
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return true;
    throw error;
  }
}

/** @see SandboxHost.mediate() */
export function mediate(mediation: Bytes): ListenerTaker {
  let prepared: PreparedMediator | undefined;
  const prepare = (): PreparedMediator => {
    try {
      prepared ??= prepareMediator();
    } catch (cause) {
      throw new NonoError('E_SANDBOX', EXIT.cannotExecute, 'Cannot apply the sandbox: its mediator cannot be started here', {
        hint: 'See whether a security module forbids memory that is written and then executed',
        cause,
      });
    }
    return prepared;
  };
  return {
    expect: () => void prepare(),
    take(listener) {
      prepare().startThread(bufferFromBytes(mediation), listener);
      syscall('close', listener);
    },
  };
}

/** @see SandboxHost.startMediator() */
export function startMediator(): (listener: number, mediation: Bytes) => void {
  const [own, other] = socketPair();
  startDetached({
    file: OWN_EXECUTABLE,
    arguments: [bytesFromText('nono'), bytesFromText(MEDIATOR_ROLE)],
    environment: ENVIRONMENT,
    channel: other,
  });
  syscall('close', other);
  return (listener, mediation) => sendDescriptor(own, listener, bufferFromBytes(mediation));
}
