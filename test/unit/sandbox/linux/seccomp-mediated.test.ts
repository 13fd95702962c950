import { describe, expect, test } from 'vitest';
import { MEDIATED_CALLS, MEDIATED_SIGNALS } from '../../../../src/sandbox/linux/mediation.ts';
import { type CallName, callNumber } from '../../../../src/sandbox/linux/seccomp-uapi.ts';
import type { Network } from '../../../../src/sandbox/plan.ts';
import { ALLOWED, ARCHITECTURES, ask, BLOCKED, LOOPBACK, PORTS } from './ask-filter.ts';

describe.for(ARCHITECTURES)('the filter of a mediator for %s', (architecture) => {
  const asked = (call: CallName, args: readonly (number | bigint)[] = [], network: Network = ALLOWED): string =>
    ask(call, args, { architecture, mediator: 'own', network });

  test('hands over what it cannot see into, whatever the network', () => {
    for (const network of [ALLOWED, BLOCKED, PORTS, LOOPBACK]) {
      const answers = MEDIATED_CALLS.filter((call) => callNumber(call, architecture) !== undefined).map((call) =>
        asked(call, [], network),
      );
      expect(new Set(answers)).toEqual(new Set(['mediated']));
    }
  });

  test('hands over pairs of datagram sockets, and the other side of a terminal', () => {
    expect([1, 5, 1 | 0x80000, 2, 3, 2 | 0x80800].map((type) => asked('socketpair', [1, type]))).toEqual([
      'allow',
      'allow',
      'allow',
      'mediated',
      'mediated',
      'mediated',
    ]);
    expect([0x5441, 0x5412, 0x5401].map((command) => asked('ioctl', [3, command]))).toEqual(['mediated', 'EPERM', 'allow']);
    expect(asked('ioctl', [3, 0xffffffff00005441n])).toBe('mediated');
  });

  test('hands over what asks a terminal for its number, and lets nobody change what a terminal is', () => {
    expect([0x80045430, 0x5423, 0x541d].map((command) => asked('ioctl', [3, command]))).toEqual(['mediated', 'EPERM', 'EPERM']);
  });

  test.for([ALLOWED, BLOCKED, PORTS, LOOPBACK])('hands over each send only where datagram sockets exist ($mode)', (network) => {
    const send = (call: CallName, args: readonly (number | bigint)[], datagrams: boolean) =>
      ask(call, args, { architecture, mediator: 'own', network, datagrams });
    const address = 1n << 32n;

    expect(send('socket', [1, 2, 0], true)).toBe('allow');
    expect(send('socket', [1, 2, 0], false)).toBe('EACCES');
    expect(send('socket', [1, 3, 0], true)).toBe('EACCES');
    expect([send('sendto', [3, 1, 1, 0, 0], true), send('sendto', [3, 1, 1, 0, address], true)]).toEqual(['allow', 'mediated']);
    expect([send('sendmsg', [3, 1, 0], true), send('sendmmsg', [3, 1, 1, 0], true)]).toEqual(['mediated', 'mediated']);
    expect([send('sendmsg', [3, 1, 0], false), send('sendmmsg', [3, 1, 1, 0], false)]).toEqual(['allow', 'allow']);
    const isTcpOnly = network.mode === 'ports' || network.mode === 'loopback';
    expect(send('sendmsg', [3, 1, 0x20000000], true)).toBe(isTcpOnly ? 'EOPNOTSUPP' : 'mediated');
  });

  test('hands over signals, and who gets those of a descriptor, where Landlock does not keep them inside', () => {
    const asOn = (abi: number, call: CallName, args: readonly number[] = []) =>
      ask(call, args, { architecture, mediator: 'own', abi });
    for (const call of MEDIATED_SIGNALS)
      expect([1, 5, 6].map((abi) => asOn(abi, call))).toEqual(['mediated', 'mediated', 'allow']);
    const owners = [
      [3, 8, 0],
      [3, 8, 1],
      [3, 15, 0],
      [3, 4, 1],
    ];
    expect(owners.map((args) => asOn(5, 'fcntl', args))).toEqual(['allow', 'mediated', 'mediated', 'allow']);
    expect([0x8901, 0x8902].map((command) => asOn(5, 'ioctl', [3, command]))).toEqual(['EPERM', 'EPERM']);
    expect(asOn(6, 'fcntl', [3, 8, 1])).toBe('allow');
    expect(ask('kill', [1, 9], { architecture, mediator: 'outer', abi: 5 })).toBe('allow');
  });

  test('hands over listening where not every address will do', () => {
    expect([ALLOWED, BLOCKED, PORTS, LOOPBACK].map((network) => asked('listen', [3, 5], network))).toEqual([
      'allow',
      'allow',
      'mediated',
      'mediated',
    ]);
  });

  test('leaves TCP alone of the network where only the loopback device is to be reached', () => {
    const socket = (...args: readonly number[]) => asked('socket', args, LOOPBACK);

    expect([socket(2, 1, 0), socket(10, 1, 6), socket(2, 2, 0), socket(2, 1, 262), socket(16, 3, 0), socket(1, 1, 0)]).toEqual([
      'allow',
      'allow',
      'EACCES',
      'EACCES',
      'EACCES',
      'allow',
    ]);
    expect(asked('sendto', [3, 0, 0, 0x20000000, 1], LOOPBACK)).toBe('EOPNOTSUPP');
    const option = (level: number, name: number, network = LOOPBACK) => asked('setsockopt', [3, level, name, 0, 0], network);
    expect([option(41, 57), option(41, 6), option(41, 26), option(0, 57), option(6, 6), option(41, 57, ALLOWED)]).toEqual([
      'EPERM',
      'EPERM',
      'allow',
      'allow',
      'allow',
      'allow',
    ]);
  });
});
