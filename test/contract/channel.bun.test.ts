import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { needCommands } from '../support/tools.ts';

const SOURCE = new URL('../../src/platform/linux/', import.meta.url).pathname;

/** Follows one end of a socket pair while the other says three words and goes. */
const FOLLOWS = `
import { followDescriptor, writeAll } from '${SOURCE}channel.ts';
import { addressOf, fixedBuffer, syscall } from '${SOURCE}syscalls.ts';
const pair = fixedBuffer(8);
syscall('socketpair', 1, 0x80001, 0, addressOf(pair));
const [own, other] = new Int32Array(pair.buffer);
const words = ['one', 'two', 'three'];
const say = () => {
  const word = words.shift();
  if (word === undefined) syscall('close', other);
  else writeAll(other, Buffer.from(word));
};
followDescriptor(own, (data) => {
  console.log(Buffer.from(data).toString() || 'the end');
  if (data.length > 0) setTimeout(say);
});
setTimeout(say);
`;

describe('followDescriptor()', () => {
  // The first two calls are of the runtime's loop itself.
  test.for([3, 4, 5, 6])('loses nothing where the kernel watches no more for the user (call %i)', (turn, context) => {
    needCommands(context, 'strace');
    const fault = `inject=epoll_ctl:error=ENOSPC:when=${turn}`;
    const words = ['-f', '-e', 'trace=epoll_ctl', '-e', fault, process.execPath, '-e', FOLLOWS];
    const { stdout, stderr, status } = spawnSync('strace', words, { encoding: 'utf8' });
    expect(stderr).toContain('(INJECTED)');
    expect({ stdout, status }).toEqual({ stdout: 'one\ntwo\nthree\nthe end\n', status: 0 });
  });
});
