import { type Bytes, bytesFromText } from '../bytes.ts';
import { joinPath } from '../paths.ts';

/** What stands behind the names at the beginning of a path. All absolute. */
export interface ExpansionFacts {
  readonly homeDirectory: Bytes;
  readonly workingDirectory: Bytes;
  readonly temporaryDirectory: Bytes;
  readonly environment: ReadonlyMap<Bytes, Bytes>;
}

const FALLBACK_REGEXP = /^\$\{([A-Za-z_][A-Za-z0-9_]*):-([^{}$]*)\}(.*)$/s;

/**
 * Puts in what the beginning of `written` stands for: `~` and `$HOME`, `$WORKDIR`, `$TMPDIR`, and `${NAME:-else}`, which is
 * the caller's variable NAME where that is an absolute path, the first one of a list of them (GOPATH). Anything else stays as it is.
 */
export function expandPath(written: string, facts: ExpansionFacts): Bytes {
  const [, name, fallback, rest] = FALLBACK_REGEXP.exec(written) ?? [];
  if (name !== undefined && fallback !== undefined && rest !== undefined) {
    const given = facts.environment.get(name as Bytes)?.split(/:(?=\/)/, 1)[0] as Bytes | undefined;
    const base = given?.startsWith('/') === true ? given : expandPath(fallback, facts);
    return joinPath(base, bytesFromText(rest.replace(/^\/+/, '')));
  }
  for (const [word, directory] of beginnings(facts)) {
    if (written === word) return directory;
    if (written.startsWith(`${word}/`)) return joinPath(directory, bytesFromText(written.slice(word.length).replace(/^\/+/, '')));
  }
  return bytesFromText(written);
}

function beginnings({ homeDirectory, workingDirectory, temporaryDirectory }: ExpansionFacts) {
  return [
    ['~', homeDirectory],
    ['$HOME', homeDirectory],
    ['$WORKDIR', workingDirectory],
    ['$TMPDIR', temporaryDirectory],
  ] as const;
}
