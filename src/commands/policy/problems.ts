import { ConfigError } from '../../errors.ts';

/** What is wrong with a file that `read` reads, a line each: `FILE:LINE: …`. */
export function problemsOf(read: () => unknown): readonly string[] {
  try {
    read();
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const lines = error.message.split('\n');
    return error.hint === undefined ? lines : [...lines.slice(0, -1), `${lines.at(-1)} (${error.hint})`];
  }
}
