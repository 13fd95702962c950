import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../../src/bytes.ts';
import { chooseNetwork } from '../../../src/commands/network.ts';
import type { ParsedCall } from '../../../src/commands/spec.ts';

function call(flags: readonly string[], values: Readonly<Record<string, readonly string[]>> = {}): ParsedCall {
  const entries = Object.entries(values).map(([name, words]) => [name, words as readonly Bytes[]] as const);
  return { flags: new Set(flags), values: new Map(entries), positionals: [], commandLine: [] };
}

describe('chooseNetwork()', () => {
  test.for([
    { given: call([]), network: { mode: 'allowed' } },
    { given: call([], { 'block-net': [''] }), network: { mode: 'blocked' } },
    { given: call([], { 'allow-port': ['443', '80'] }), network: { mode: 'ports', connect: [443, 80], bind: [] } },
    { given: call([], { 'allow-bind': ['1', '65535'] }), network: { mode: 'ports', connect: [], bind: [1, 65535] } },
    { given: call([], { 'block-net': ['loopback'] }), network: { mode: 'loopback' } },
    { given: call([], { 'block-net': [''], 'allow-port': ['443'] }), network: { mode: 'ports', connect: [443], bind: [] } },
  ])('leaves $network', ({ given, network }) => {
    expect(chooseNetwork(given, { blocksNetwork: false })).toEqual(network);
  });

  test('follows the profile, unless a port is named', () => {
    expect(chooseNetwork(call([]), { blocksNetwork: true })).toEqual({ mode: 'blocked' });
    expect(chooseNetwork(call([]), { blocksNetwork: 'loopback' })).toEqual({ mode: 'loopback' });
    expect(chooseNetwork(call([], { 'allow-port': ['443'] }), { blocksNetwork: true })).toMatchObject({ mode: 'ports' });
  });

  test('refuses other ways to block, and ports beside the loopback device', () => {
    const choose = (values: Readonly<Record<string, readonly string[]>>) => () =>
      chooseNetwork(call([], values), { blocksNetwork: false });

    expect(choose({ 'block-net': ['lo'] })).toThrow('Cannot use --block-net=lo');
    expect(choose({ 'block-net': ['loopback'], 'allow-bind': ['80'] })).toThrow('Cannot use --block-net=loopback with');
  });

  test.for(['0', '65536', '', '-1', '80/tcp', '0x50', '1e3', ' 80', '00000080'])('refuses the port "%s"', (word) => {
    for (const option of ['allow-port', 'allow-bind']) {
      expect(() => chooseNetwork(call([], { [option]: [word] }), { blocksNetwork: false })).toThrow(
        `Cannot use --${option} "${word}": a port is`,
      );
    }
  });
});
