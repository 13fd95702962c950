import { type Bytes, bufferFromBytes } from '../../bytes.ts';
import { EXIT, isErrno, NonoError } from '../../errors.ts';
import type { HandOver, Mediating } from '../../ports/sandbox-host.ts';
import { MEDIATOR_ANSWER, MEDIATOR_QUESTION } from '../../sandbox/linux/mediation.ts';
import { usedRefusals } from '../../sandbox/linux/refusals.ts';
import { AskChannel } from './ask-channel.ts';
import { type PreparedMediator, prepareMediator } from './mediator/start.ts';
import { readSmallFile } from './small-files.ts';
import { addressOf, errnoName, syscall, trySyscall } from './syscalls.ts';
import { markTree } from './tree-domain.ts';

/** 1 and above: only ancestors, administrators, or nobody (Documentation/admin-guide/LSM/Yama.rst). */
const YAMA_SCOPE = '/proc/sys/kernel/yama/ptrace_scope';
const NO_DESCRIPTOR = -1;
const NO_MEMORY: Uint8Array = new Uint8Array();

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
export function mediate(mediation: Bytes, onQuestions?: (data: Uint8Array) => void): Mediating {
  markTree();
  const channel = onQuestions === undefined ? undefined : new AskChannel(onQuestions);
  let mediator: PreparedMediator | undefined;
  let refusals = NO_MEMORY;
  return {
    expect() {
      mediator ??= prepared();
    },
    take(listener) {
      mediator ??= prepared();
      refusals = mediator.startThread(bufferFromBytes(mediation), listener, channel?.others);
      syscall('close', listener);
      channel?.closeOthers();
    },
    answer: (message) => channel?.send(message),
    refusals: () => usedRefusals(refusals),
    [Symbol.dispose]: () => channel?.[Symbol.dispose](),
  };
}

/** @see SandboxHost.startMediator() */
export function startMediator(mediation: Bytes): HandOver {
  // The mediator and, later, the command are in it.
  markTree();
  return prepared().startProcess(bufferFromBytes(mediation));
}

/** @throws {NonoError} where machine code cannot be had. */
function prepared(): PreparedMediator {
  try {
    return prepareMediator();
  } catch (cause) {
    throw new NonoError('E_SANDBOX', EXIT.cannotExecute, 'Cannot apply the sandbox: its mediator cannot be started here', {
      hint: 'See whether a security module forbids memory that is written and then executed',
      cause,
    });
  }
}
