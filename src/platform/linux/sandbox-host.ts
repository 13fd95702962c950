import type { SandboxHost } from '../../ports/sandbox-host.ts';
import { become, landlockAbi } from './confine.ts';
import { isMediated, mediatesFromOutside, startMediator } from './mediation.ts';
import { readCallerDescriptors, readCallerSignals } from './process-facts.ts';

/** Landlock, capabilities and no_new_privs by direct system calls. Create it before signals are watched. */
export function createLinuxSandboxHost(): SandboxHost {
  const callerSignals = readCallerSignals();
  return {
    landlockAbi,
    architecture: process.arch === 'arm64' ? 'arm64' : 'x64',
    callerSignals: () => callerSignals,
    callerDescriptors: readCallerDescriptors,
    become,
    isMediated,
    mediatesFromOutside,
    startMediator,
  };
}
