import type { Bytes } from '../../../src/bytes.ts';
import { SystemError } from '../../../src/errors.ts';
import { baseName, joinPath, parentPath, resolvePath } from '../../../src/paths.ts';
import type { FileKind } from '../../../src/ports/files.ts';
import type { FoundPath, OpenStream, PathFacts } from '../../../src/ports/path-facts.ts';
import type { World } from '../../../src/sandbox/policy.ts';

interface Node {
  readonly kind: FileKind;
  readonly mode: number;
  readonly target?: string;
  readonly content?: string;
}

/** A tree in memory. Written as paths: `/a/` a directory, `/a -> b` a link, `/a = text` a file with content, `!` no permission for others. */
export function fakeFacts(lines: readonly string[], streams: readonly OpenStream[] = []): PathFacts {
  const nodes = new Map<string, Node>([['/', { kind: 'directory', mode: 0o755 }]]);
  for (const line of lines) addLine(nodes, line);
  const resolve = (path: string, depth = 0): FoundPath | undefined => {
    if (depth > 40) throw new SystemError('open', 'ELOOP', path);
    let current = '/';
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    for (const [at, part] of parts.entries()) {
      if (part === '..') {
        current = parentPath(current as Bytes) || '/';
        continue;
      }
      const next: string = joinPath(current as Bytes, part as Bytes);
      const node = nodes.get(next);
      if (node === undefined) return undefined;
      if (node.target !== undefined) {
        const rest = parts.slice(at + 1).join('/');
        return resolve(`${resolvePath(current as Bytes, node.target as Bytes)}/${rest}`, depth + 1);
      }
      current = next;
    }
    const node = nodes.get(current);
    return node === undefined ? undefined : { path: current as Bytes, kind: node.kind, mode: node.mode };
  };
  const facts: PathFacts = {
    resolve: (path) => resolve(path),
    readLink(path) {
      const above = resolve(parentPath(path));
      const target = above && nodes.get(joinPath(above.path, baseName(path)))?.target;
      return target as Bytes | undefined;
    },
    names: (path) => facts.entries(path).map(({ name }) => name),
    entries(path) {
      const at = resolve(path);
      if (at === undefined) throw new SystemError('open', 'ENOENT', path);
      return [...nodes]
        .filter(([name]) => name !== '/' && (parentPath(name as Bytes) || '/') === at.path)
        .map(([name, { kind, mode }]) => ({ name: name.slice(name.lastIndexOf('/') + 1) as Bytes, kind, mode }));
    },
    readStart(path, sizeBytes) {
      const found = resolve(path);
      if (found === undefined) throw new SystemError('open', 'ENOENT', path);
      return (nodes.get(found.path)?.content ?? '').slice(0, sizeBytes) as Bytes;
    },
    streams: () => streams,
  };
  return facts;
}

function addLine(nodes: Map<string, Node>, line: string): void {
  const isPrivate = line.startsWith('!');
  const text = isPrivate ? line.slice(1) : line;
  const [, path = '', target, content] = /^(\/[^ ]*)(?: -> (.*)| = ([^]*))?$/.exec(text) ?? [];
  const isDirectory = path.endsWith('/');
  const name = isDirectory ? path.slice(0, -1) : path;
  for (let above = parentPath(name as Bytes); above !== '/' && above !== ''; above = parentPath(above)) {
    if (!nodes.has(above)) nodes.set(above, { kind: 'directory', mode: 0o755 });
  }
  const mode = (isDirectory ? 0o755 : 0o755) & (isPrivate ? 0o700 : 0o777);
  if (target !== undefined) nodes.set(name, { kind: 'symlink', mode: 0o777, target });
  else nodes.set(name, { kind: isDirectory ? 'directory' : 'file', mode, ...(content === undefined ? {} : { content }) });
}

/** An ordinary user at home in /home/u, working in /home/u/project. */
export function fakeWorld(lines: readonly string[], changes: Partial<World> = {}): World {
  return {
    facts: fakeFacts(['/home/u/project/', '/usr/bin/env', '/usr/bin/sh', '/etc/', ...lines]),
    environment: new Map([['PATH' as Bytes, '/usr/bin' as Bytes]]),
    homeDirectory: '/home/u' as Bytes,
    workingDirectory: '/home/u/project' as Bytes,
    stateDirectory: '/home/u/.nono' as Bytes,
    uid: 1000,
    ...changes,
  };
}

export function withPath(...entries: readonly string[]): Pick<World, 'environment'> {
  return { environment: new Map([['PATH' as Bytes, entries.join(':') as Bytes]]) };
}
