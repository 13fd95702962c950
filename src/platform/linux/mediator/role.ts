import { receiveOrThrow } from '../descriptor-passing.ts';
import { syscall } from '../syscalls.ts';
import { prepareMediator } from './start.ts';

/** The channel to the process that becomes the command. */
const CHANNEL = 0;
/** More than a socket takes at once. */
const MESSAGE_BYTES = 1024 * 1024;

/**
 * The mediator role: compiles the mediator while the command's sandbox is made, waits for the listener, and leaves a
 * process behind that has nothing of this runtime any more.
 */
export function runMediator(): never {
  const mediator = prepareMediator();
  const { data, descriptor } = receiveOrThrow(CHANNEL, MESSAGE_BYTES);
  // Without a listener there is no command that could ask.
  if (descriptor !== undefined) mediator.startProcess(data, descriptor);
  syscall('exit_group', 0);
  throw new Error('exit_group(2) returned');
}
