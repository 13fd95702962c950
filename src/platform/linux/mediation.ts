import { type Bytes, putBytes } from '../../bytes.ts';
import { EXIT, NonoError } from '../../errors.ts';
import type { HandOver } from '../../ports/sandbox-host.ts';
import { MEDIATOR_ANSWER, MEDIATOR_QUESTION } from '../../sandbox/linux/mediation.ts';
import { type PreparedMediator, prepareMediator } from './mediator/start.ts';
import { readIfThere } from './small-files.ts';
import { addressOf, errnoName, fixedBuffer, trySyscall } from './syscalls.ts';
import { markTree } from './tree-domain.ts';

/** 1 and above: only ancestors, administrators, or nobody (Documentation/admin-guide/LSM/Yama.rst). */
const YAMA_SCOPE = '/proc/sys/kernel/yama/ptrace_scope';
const NO_DESCRIPTOR = -1;

/** @see SandboxHost.isMediated() */
export function isMediated(): boolean {
  const question = fixedBuffer(MEDIATOR_QUESTION.length);
  putBytes(question, MEDIATOR_QUESTION as Bytes);
  return errnoName(-trySyscall('connect', NO_DESCRIPTOR, addressOf(question), question.length)) === MEDIATOR_ANSWER;
}

/** @see SandboxHost.mediatesFromOutside() */
export function mediatesFromOutside(): boolean {
  return (readIfThere(YAMA_SCOPE) ?? '0').trim() === '0';
}

/** @see SandboxHost.startMediator() */
export function startMediator(mediation: Bytes): HandOver {
  // The mediator and, later, the command are in it.
  markTree();
  const configuration = fixedBuffer(mediation.length);
  putBytes(configuration, mediation);
  return preparedMediator().startProcess(configuration);
}

/** @throws {NonoError} where machine code cannot be had. */
export function preparedMediator(): PreparedMediator {
  try {
    return prepareMediator();
  } catch (cause) {
    throw new NonoError('E_SANDBOX', EXIT.cannotExecute, 'Cannot apply the sandbox: its mediator cannot be started here', {
      hint: 'See whether a security module forbids memory that is written and then executed',
      cause,
    });
  }
}
