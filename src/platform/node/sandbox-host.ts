import { readFileSync } from 'node:fs';
import type { SandboxHost } from '../../ports/sandbox-host.ts';
import { parseSignals } from '../../signal-state.ts';

/**
 * Node can make no system call of its own choice: it enforces nothing, says so, and becomes nothing. It is
 * here for the tests of what stands on the port.
 */
export function createNodeSandboxHost(): SandboxHost {
  const callerSignals = parseSignals(readFileSync('/proc/self/status', 'latin1'));
  return {
    landlockAbi: () => 0,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
    callerSignals: () => callerSignals,
    callerDescriptors: () => undefined,
    become: () => ({ step: 'supervisor', errno: 'ENOSYS' }),
    isMediated: () => false,
    mediatesFromOutside: () => true,
    startMediator: () => () => () => undefined,
  };
}
