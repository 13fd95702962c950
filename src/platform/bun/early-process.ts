import type { BackgroundCommand } from '../../ports/background.ts';
import { type SpawnedInBackground, spawnInBackground } from './spawn-in-background.ts';

/** What startEarly() has started. */
export interface EarlyProcess {
  readonly command: BackgroundCommand;
  readonly spawned: SpawnedInBackground;
}

/**
 * Starts what will be wanted while nobody knows yet what to tell it; whoever wants the same takes it over. Without instructions it ends by itself.
 *
 * @returns undefined where the system refuses it, which it will tell whoever wants it, too.
 */
export function startEarly(command: BackgroundCommand): EarlyProcess | undefined {
  try {
    return { command, spawned: spawnInBackground(command) };
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return undefined;
    throw error;
  }
}
