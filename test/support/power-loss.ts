/** A file, directory or link of a modelled file system: what there is, and what is on the disk for certain. */
interface Node {
  readonly kind: 'file' | 'directory' | 'link';
  now: State;
  safe: State | undefined;
}

interface State {
  readonly data: Buffer;
  readonly mode: number;
  /** Seconds and nanoseconds as in "1577836800.000000001"; undefined: whenever it is made. */
  readonly modified: string | undefined;
  readonly entries: ReadonlyMap<string, Node>;
}

/** An entry that a loss of power left, its parent before it; names are bytes, one unit each. */
export interface Remains {
  readonly path: string;
  readonly kind: Node['kind'];
  /** Content, or the target of a link. */
  readonly data: Buffer;
  readonly mode: number;
  readonly modified: string | undefined;
}

/**
 * What is there when the power comes back: `lost`: only what was synced; `empty`: all names, but of contents only what was synced;
 * `torn`: all names, and half of what was not synced. File systems with a journal do the second and the third, others may do the first.
 */
export type Loss = 'lost' | 'empty' | 'torn';
export const LOSSES: readonly Loss[] = ['lost', 'empty', 'torn'];

const OF_DESCRIPTORS = new Set(['write', 'ftruncate', 'fchmod', 'fsync', 'fdatasync', 'syncfs']);
const EMPTY: State = { data: Buffer.alloc(0), mode: 0o755, modified: undefined, entries: new Map() };

/** The part of a file system below some directories, which does what a trace of strace tells (`-f -y -xx`). */
export class ModelDisk {
  readonly #top: Node = { kind: 'directory', now: EMPTY, safe: EMPTY };
  readonly #roots: readonly string[];
  /** Where the next write(2) goes, by path. */
  readonly #offsets = new Map<string, number>();
  /** Paths of descriptors, as seen last. */
  readonly #descriptors = new Map<string, string>();
  readonly #unfinished = new Map<string, string>();

  /** @param roots Absolute paths; nothing else is looked at. `present`: what is there and on the disk. */
  constructor(roots: readonly string[], present: readonly Remains[]) {
    this.#roots = roots;
    for (const { path, kind, data, mode, modified } of present) {
      this.#put(path, { kind, now: { data, mode, modified, entries: new Map() }, safe: undefined });
    }
    this.#syncAll(this.#top);
  }

  /** @returns true when the line has changed anything that is modelled, or made it safe. @throws {Error} for a call that is not known. */
  apply(line: string): boolean {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      this.#unfinished.set(pid, rest.slice(0, -'<unfinished ...>'.length));
      return false;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)/.exec(rest);
    const whole = resumed === null ? rest : `${this.#unfinished.get(pid) ?? ''}${resumed[1] ?? ''}`;
    const call = /^(\w+)\((.*)\) += ((?:\d+)(?:<(.*)>)?)$/.exec(whole);
    if (call === null) return false;
    const [, name = '', words = '', returned = '', result] = call;
    for (const [, descriptor = '', path = ''] of `${words} ${returned}`.matchAll(/\b(\d+)<((?:\\x[0-9a-f]{2})+)>/g))
      this.#descriptors.set(`${pid} ${descriptor}`, decode(path));
    return this.#do(name, words, { pid, result: result === undefined ? undefined : decode(result) });
  }

  #do(name: string, words: string, { pid, result }: { readonly pid: string; readonly result: string | undefined }): boolean {
    const [first = '', second = ''] = OF_DESCRIPTORS.has(name) ? descriptorsIn(words) : pathsIn(words);
    switch (name) {
      case 'openat':
      case 'openat2':
      case 'open':
        return result !== undefined && this.#isOurs(result) && /O_WRONLY|O_RDWR/.test(words) && this.#open(result, words);
      case 'write':
        return this.#isOurs(first) && this.#write(first, stringsIn(words)[0] ?? Buffer.alloc(0));
      case 'ftruncate':
        return this.#isOurs(first) && this.#change(first, (now) => ({ data: resized(now.data, lastNumber(words)) }));
      case 'mkdirat':
      case 'mkdir':
        return (
          this.#isOurs(first) && this.#put(first, { kind: 'directory', now: { ...EMPTY, mode: modeIn(words) }, safe: undefined })
        );
      case 'linkat':
        return this.#isOurs(second) && this.#put(second, this.#need(first));
      case 'symlinkat': {
        const [target = Buffer.alloc(0)] = stringsIn(words);
        return this.#isOurs(second) && this.#put(second, { kind: 'link', now: { ...EMPTY, data: target }, safe: undefined });
      }
      case 'renameat2':
      case 'renameat':
      case 'rename':
        return this.#isOurs(first) && this.#put(second, this.#take(first));
      case 'unlinkat':
      case 'unlink':
      case 'rmdir':
        return this.#isOurs(first) && this.#take(first) !== undefined;
      case 'fchmod':
      case 'fchmodat': {
        const descriptor = /^\/proc\/self\/fd\/(\d+)$/.exec(first)?.[1];
        const path = descriptor === undefined ? first : (this.#descriptors.get(`${pid} ${descriptor}`) ?? '');
        return this.#isOurs(path) && this.#change(path, () => ({ mode: modeIn(words) }));
      }
      case 'utimensat': {
        const modified = [...words.matchAll(/UTIME_OMIT|tv_sec=(\d+), tv_nsec=(\d+)/g)].at(-1);
        if (modified?.[1] === undefined || !this.#isOurs(first)) return false;
        return this.#change(first, () => ({ modified: `${modified[1]}.${(modified[2] ?? '').padStart(9, '0')}` }));
      }
      case 'fsync':
      case 'fdatasync':
        return this.#isOurs(first) && this.#sync(first);
      case 'syncfs':
        return this.#isOurs(first) && this.#syncAll(this.#top);
      default:
        throw new Error(`The model does not know ${name}(${words})`);
    }
  }

  /** Everything that is there after a loss of power at this moment. */
  remains(loss: Loss): readonly Remains[] {
    const found: Remains[] = [];
    const visit = (node: Node, path: string): void => {
      const state = loss === 'lost' ? (node.safe ?? { ...node.now, data: Buffer.alloc(0), entries: new Map() }) : node.now;
      const isBelow = this.#roots.some((root) => path === root || path.startsWith(`${root}/`));
      if (isBelow) {
        const data = node.kind === 'file' && loss !== 'lost' ? damaged(node, loss) : state.data;
        found.push({ path, kind: node.kind, data, mode: state.mode, modified: state.modified });
      }
      for (const [name, below] of state.entries) visit(below, `${path}/${name}`);
    };
    visit(this.#top, '');
    return found;
  }

  #isOurs(path: string): boolean {
    return this.#roots.some((root) => path === root || path.startsWith(`${root}/`));
  }

  #open(path: string, words: string): boolean {
    const isNew = words.includes('O_CREAT') && this.#find(path) === undefined;
    if (isNew) this.#put(path, { kind: 'file', now: { ...EMPTY, mode: modeIn(words) }, safe: undefined });
    else if (words.includes('O_TRUNC')) this.#change(path, () => ({ data: Buffer.alloc(0) }));
    this.#offsets.set(path, words.includes('O_APPEND') ? (this.#find(path)?.now.data.length ?? 0) : 0);
    return isNew || words.includes('O_TRUNC');
  }

  #write(path: string, data: Buffer): boolean {
    const at = this.#offsets.get(path) ?? this.#need(path).now.data.length;
    this.#offsets.set(path, at + data.length);
    return this.#change(path, ({ data: was }) => {
      const whole = resized(was, Math.max(was.length, at + data.length));
      data.copy(whole, at);
      return { data: whole };
    });
  }

  #change(path: string, by: (now: State) => Partial<State>): boolean {
    const node = this.#find(path);
    if (node === undefined) return false;
    node.now = { ...node.now, ...by(node.now) };
    return true;
  }

  #find(path: string): Node | undefined {
    let node: Node | undefined = this.#top;
    for (const name of path.split('/').filter((part) => part !== '')) node = node?.now.entries.get(name);
    return node;
  }

  #need(path: string): Node {
    const node = this.#find(path);
    if (node === undefined) throw new Error(`The model has no ${path}`);
    return node;
  }

  /** Directories above that are not modelled are made, and safe. */
  #put(path: string, node: Node): boolean {
    const { parent, name } = this.#parentOf(path);
    parent.now = { ...parent.now, entries: new Map(parent.now.entries).set(name, node) };
    this.#offsets.delete(path);
    return true;
  }

  #take(path: string): Node {
    const { parent, name } = this.#parentOf(path);
    const node = this.#need(path);
    const entries = new Map(parent.now.entries);
    entries.delete(name);
    parent.now = { ...parent.now, entries };
    return node;
  }

  #parentOf(path: string): { readonly parent: Node; readonly name: string } {
    const names = path.split('/').filter((part) => part !== '');
    const name = names.pop() ?? '';
    let parent = this.#top;
    for (const above of names) {
      let next = parent.now.entries.get(above);
      if (next === undefined) {
        next = { kind: 'directory', now: EMPTY, safe: EMPTY };
        parent.now = { ...parent.now, entries: new Map(parent.now.entries).set(above, next) };
        parent.safe = parent.now;
      }
      parent = next;
    }
    return { parent, name };
  }

  #sync(path: string): boolean {
    const node = this.#find(path);
    if (node !== undefined) node.safe = node.now;
    return node !== undefined;
  }

  #syncAll(node: Node): boolean {
    node.safe = node.now;
    for (const below of node.now.entries.values()) this.#syncAll(below);
    return true;
  }
}

/** What of a file's content is there when its name is. */
function damaged({ now, safe }: Node, loss: 'empty' | 'torn'): Buffer {
  if (safe?.data.equals(now.data) === true) return now.data;
  if (loss === 'empty') return safe?.data ?? Buffer.alloc(0);
  const kept = safe !== undefined && now.data.subarray(0, safe.data.length).equals(safe.data) ? safe.data.length : 0;
  return now.data.subarray(0, kept + Math.ceil((now.data.length - kept) / 2));
}

function resized(data: Buffer, size: number): Buffer {
  const whole = Buffer.alloc(size);
  data.copy(whole);
  return whole;
}

/** The umask of the tests takes what nono never gives. */
function modeIn(words: string): number {
  return Number.parseInt(/\b0[0-7]+\b(?=[^<"]*$)/.exec(words)?.[0] ?? '', 8) & 0o755;
}

function lastNumber(words: string): number {
  return Number(/(\d+)$/.exec(words)?.[1]);
}

function decode(hex: string): string {
  return Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString('latin1');
}

function stringsIn(words: string): readonly Buffer[] {
  return [...words.matchAll(/"((?:\\x[0-9a-f]{2})*)"/g)].map(([, hex = '']) => Buffer.from(decode(hex), 'latin1'));
}

function descriptorsIn(words: string): readonly string[] {
  return [...words.matchAll(/\b\d+<((?:\\x[0-9a-f]{2})+)>/g)].map(([, path = '']) => decode(path));
}

/** Paths that a call is about: a directory and a name beside it are one, a descriptor alone is what it is open on. */
function pathsIn(words: string): readonly string[] {
  const paths: string[] = [];
  const pairs = /(?:AT_FDCWD|\b\d+)<((?:\\x[0-9a-f]{2})+)>(?:, (?:"((?:\\x[0-9a-f]{2})*)"|NULL))?|"((?:\\x[0-9a-f]{2})+)"/g;
  for (const [, directory, name, alone] of words.matchAll(pairs)) {
    const [above, below] = [decode(directory ?? ''), decode(name ?? alone ?? '')];
    paths.push(below.startsWith('/') ? below : below === '' ? above : `${above}/${below}`);
  }
  return paths;
}
