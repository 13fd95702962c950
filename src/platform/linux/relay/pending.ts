import { FRAME_BYTES, HEADER_BYTES, headerOf } from './frames.ts';
import type { RelayMemory } from './relay-memory.ts';

const HELD_BYTES = 64;

/** The connection has not got all that it is to get from the thread. Asked under the lock of the memory, as all here. */
export function isUpPending(memory: RelayMemory): boolean {
  return memory.get('sent') < memory.get('mine') || memory.get('headerLeft') > 0;
}

/** As the frames that they would have become; nothing more passes to the connection. */
export function takePendingUp(memory: RelayMemory): Uint8Array {
  memory.set('fromTerminal', 0);
  const [headerLeft, frameLeft] = [memory.get('headerLeft'), memory.get('frameLeft')];
  const [sent, mine] = [memory.get('sent'), memory.get('mine')];
  const pieces = [memory.bytesOf('header', HEADER_BYTES - headerLeft, headerLeft), memory.up(sent, sent + frameLeft)];
  for (let at = sent + frameLeft; at < mine; at += FRAME_BYTES) {
    const end = Math.min(at + FRAME_BYTES, mine);
    pieces.push(headerOf(memory.get('frameOut'), end - at), memory.up(at, end));
  }
  memory.set('sent', mine);
  memory.set('headerLeft', 0);
  memory.set('frameLeft', 0);
  return Buffer.concat(pieces);
}

export function emptyUp(memory: RelayMemory): void {
  for (const word of ['upHead', 'given', 'sent', 'mine'] as const) memory.set(word, 0);
}

/** What came from the connection, with what was held as a frame of its own. */
export function takeDown(memory: RelayMemory): Uint8Array {
  const heldLength = memory.get('heldLength');
  const held = memory.bytesOf('held', 0, heldLength);
  const rest = memory.down(memory.get('start'), memory.get('downHead')).slice();
  emptyDown(memory);
  return heldLength === 0 ? rest : Buffer.concat([headerOf(memory.get('frameIn'), heldLength), held, rest]);
}

/** Nothing is in it, and before it there is room for what is held. */
export function emptyDown(memory: RelayMemory): void {
  memory.set('heldLength', 0);
  for (const word of ['start', 'downHead'] as const) memory.set(word, HELD_BYTES);
}
