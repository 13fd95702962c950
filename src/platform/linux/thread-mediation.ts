import { type Bytes, bufferFromBytes } from '../../bytes.ts';
import type { Mediating } from '../../ports/sandbox-host.ts';
import { usedRefusals } from '../../sandbox/linux/refusals.ts';
import { AskChannel } from './ask-channel.ts';
import { preparedMediator } from './mediation.ts';
import type { PreparedMediator } from './mediator/start.ts';
import { syscall } from './syscalls.ts';
import { markTree } from './tree-domain.ts';

const NO_MEMORY: Uint8Array = new Uint8Array();

/** @see ParentHost.mediate() */
export function mediate(mediation: Bytes, onQuestions?: (data: Uint8Array) => void): Mediating {
  markTree();
  const channel = onQuestions === undefined ? undefined : new AskChannel(onQuestions);
  let mediator: PreparedMediator | undefined;
  let refusals = NO_MEMORY;
  return {
    expect() {
      mediator ??= preparedMediator();
    },
    take(listener) {
      mediator ??= preparedMediator();
      refusals = mediator.startThread(bufferFromBytes(mediation), listener, channel?.others);
      syscall('close', listener);
      channel?.closeOthers();
    },
    answer: (message) => channel?.send(message),
    refusals: () => usedRefusals(refusals),
    [Symbol.dispose]: () => channel?.[Symbol.dispose](),
  };
}
