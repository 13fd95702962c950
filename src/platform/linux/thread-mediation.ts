import { type Bytes, bufferFromBytes } from '../../bytes.ts';
import type { Mediating } from '../../ports/sandbox-host.ts';
import { usedRefusals } from '../../sandbox/linux/refusals.ts';
import { AskChannel } from './ask-channel.ts';
import { preparedMediator } from './mediation.ts';
import type { MediatorThread } from './mediator/start.ts';
import { syscall } from './syscalls.ts';
import { markTree } from './tree-domain.ts';

const NO_MEMORY: Uint8Array = new Uint8Array();

/** @see ParentHost.mediate() */
export function mediate(mediation: Bytes, onQuestions?: (data: Uint8Array) => void): Mediating {
  markTree();
  const channel = onQuestions === undefined ? undefined : new AskChannel(onQuestions);
  let thread: MediatorThread | undefined;
  const prepare = (): MediatorThread => preparedMediator().prepareThread(bufferFromBytes(mediation), channel?.others);
  return {
    expect() {
      thread ??= prepare();
    },
    take(listener) {
      thread ??= prepare();
      thread.start(listener);
      syscall('close', listener);
      channel?.closeOthers();
    },
    answer: (message) => channel?.send(message),
    refusals: () => (thread === undefined ? NO_MEMORY : usedRefusals(thread.refusals)),
    [Symbol.dispose]: () => channel?.[Symbol.dispose](),
  };
}
