import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Bytes } from '../../src/bytes.ts';
import type { SandboxHost } from '../../src/ports/sandbox-host.ts';
import type { Launch } from '../../src/sandbox/launch.ts';

/** Instructions for a process whose supervisor is none of its parents. */
export const NOT_OURS: Launch = {
  supervisorPid: 2 ** 22 + 1,
  landlock: { handledFs: 0x1fff, handledNet: 0, scoped: 0, rules: [], ports: [] },
  filter: '' as Bytes,
  mediation: null,
  capabilities: 0,
  workingDirectory: '/' as Bytes,
  executables: ['/bin/false' as Bytes],
  command: ['false' as Bytes],
  environment: [],
  signals: { ignored: [], blocked: [] },
};

/** What every SandboxHost adapter owes its callers, as far as a test can be asked to survive it. */
export function describeSandboxHostContract(name: string, createHost: () => Promise<SandboxHost>): void {
  describe(`${name} sandbox host`, () => {
    test('knows the ABI of the kernel as a whole number', async () => {
      const abi = (await createHost()).landlockAbi();

      expect(Number.isInteger(abi) && abi >= 0).toBe(true);
    });

    test('tells the signal settings of the caller without those of the runtime', async () => {
      const { ignored, blocked } = (await createHost()).callerSignals();

      expect(ignored).not.toContain(13);
      expect([...ignored, ...blocked].every((signal) => signal >= 1 && signal <= 64)).toBe(true);
    });

    test('gives up at the step that it cannot do, and does none of the later ones', async () => {
      const failure = (await createHost()).become(NOT_OURS, () => () => undefined);

      expect(failure.step).toBe('supervisor');
      expect(readFileSync('/proc/self/status', 'latin1')).toMatch(/^NoNewPrivs:\t0$/m);
    });
  });
}
