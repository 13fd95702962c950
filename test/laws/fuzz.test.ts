import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bytes, bytesFromBuffer } from '../../src/bytes.ts';
import { loadConfig } from '../../src/config/config.ts';
import { parseKeySequence } from '../../src/config/key-sequence.ts';
import { parseProfile } from '../../src/config/profile.ts';
import { NonoError } from '../../src/errors.ts';
import { parseGitConfig } from '../../src/rollback/git-config.ts';
import { parseGitIndex } from '../../src/rollback/git-index.ts';
import { decodeGitRecords } from '../../src/rollback/git-record.ts';
import { decideIgnored, parseIgnoreFile } from '../../src/rollback/ignore-file.ts';
import { type Journal, readJournal, writeJournal } from '../../src/rollback/journal.ts';
import { decodeManifest, encodeManifest } from '../../src/rollback/manifest.ts';
import { decodeHeader, decodeNames, decodeNode, isSafeRootPath } from '../../src/rollback/node-codec.ts';
import type { RollbackSession } from '../../src/rollback/session-directory.ts';
import { ToldReader } from '../../src/sandbox/linux/ask-wire.ts';
import { decodeRefusals } from '../../src/sandbox/linux/refusals.ts';
import { readAudit } from '../../src/session/audit-read.ts';
import {
  type ClientMessage,
  decodeClientMessage,
  decodeServerMessage,
  encodeClientMessage,
  encodeServerMessage,
  type ServerMessage,
} from '../../src/session/messages.ts';
import { FrameDecoder, ProtocolError } from '../../src/session/protocol.ts';
import { castLines, parseTimes } from '../../src/session/read-log.ts';
import { parseRecord } from '../../src/session/read-record.ts';
import { parseScreen } from '../../src/session/read-screen.ts';
import { DetachMatcher } from '../../src/terminal/detach-matcher.ts';
import { LogRenderer } from '../../src/terminal/log-renderer.ts';
import { screenDocument } from '../../src/terminal/screen-document.ts';
import { loadAdapters } from '../support/adapters.ts';
import { runs } from '../support/effort.ts';
import { jsonMutations, mutate, mutations } from '../support/mutate.ts';
import { SAMPLE_MANIFEST } from '../support/sample-manifest.ts';
import { createScratchDirectory } from '../support/scratch.ts';
import { createModel, painted } from '../support/screens.ts';

const { files, hash } = await loadAdapters();
const RUNS = { numRuns: runs(import.meta.filename, 300) };
/** What is bounded takes milliseconds, also on a machine that does ten other things. */
const HANG_MS = 10_000;
const RECORDINGS = fileURLToPath(new URL('../fixtures/recordings', import.meta.url));

interface Target {
  readonly name: string;
  /** What is whole, and is changed. */
  readonly corpus: readonly Buffer[];
  readonly isJson?: boolean;
  readonly read: (data: Buffer) => unknown;
  /** What it may throw; the errors that people see, by default. */
  readonly refusals?: readonly (new (
    ...words: never[]
  ) => Error)[];
}

function text(value: string): Buffer {
  return Buffer.from(value);
}

function json(value: unknown, indent?: number): Buffer {
  return text(`${JSON.stringify(value, undefined, indent)}\n`);
}

function bytes(data: Uint8Array): Bytes {
  return bytesFromBuffer(data);
}

const RECORD = {
  format: 1,
  session_id: 'a3f7c2',
  name: 'calm-node',
  status: 'exited',
  attachment: 'detached',
  supervisor_pid: 12,
  supervisor_start: 34,
  pid_namespace: 56,
  boot_id: 'b',
  host: 'h',
  child_pid: 13,
  started: '2026-02-19T09:14:03+01:00',
  ended: null,
  exit_code: 143,
  signal: 'SIGTERM',
  command: ['sh', { base64: '/w==' }],
  profile: 'default',
  workdir: '/home/me',
  network: 'blocked',
  terminal: true,
  rollback_session: null,
  shared: {
    paths: [{ path: '/home/me', access: 'readwrite' }],
    sockets: [{ base64: '/w==' }],
    connect_ports: [443],
    bind_ports: [],
    asks: false,
  },
  enforced: { missing: [] },
  pending_approvals: 0,
  failure: null,
  audit: { events: 3, digest: '00' },
};

const JOURNAL: Journal = {
  restores: SAMPLE_MANIFEST.id,
  snapshot: 0,
  isOwn: false,
  touchedMs: 7,
  paths: ['/home/me/a', '/home/me/\xff', '/home/me/sub/b'] as Bytes[],
};

/** As a supervisor finds it in a session's directory. */
function readJournalOf(data: Buffer): void {
  using scratch = createScratchDirectory();
  using directory = files.openDirectory(scratch.bytes);
  using file = directory.createFile('journal' as Bytes, 0o600);
  file.write(data);
  const { paths, snapshot } = readJournal({ id: 'x' as Bytes, directory } as unknown as RollbackSession);
  expect(paths.filter((path) => !isSafeRootPath(path))).toEqual([]);
  expect(snapshot).toBeGreaterThanOrEqual(0);
}

function journalBytes(): Buffer {
  using scratch = createScratchDirectory();
  using directory = files.openDirectory(scratch.bytes);
  writeJournal(directory, JOURNAL);
  return readFileSync(scratch.at('journal'));
}

const CLIENT_MESSAGES: readonly ClientMessage[] = [
  {
    kind: 'hello',
    mode: 'attach',
    size: { columns: 80, rows: 24 },
    terminal: 'xterm',
    capabilities: ['x'],
    history: 5,
    terminalId: 't',
    status: 'title',
  },
  { kind: 'data', data: text('abc') },
  { kind: 'resize', size: { columns: 100, rows: 50 } },
  { kind: 'detach' },
  { kind: 'request', request: { verb: 'send', data: text('abc') } },
  { kind: 'request', request: { verb: 'decide', number: 3, decision: 'once', note: 'n' } },
  { kind: 'request', request: { verb: 'stop', timeoutMs: 500 } },
  { kind: 'typedFence', number: 7 },
  { kind: 'shownAnswer', number: 8 },
];
const SERVER_MESSAGES: readonly ServerMessage[] = [
  { kind: 'welcome', sessionId: 'a3f7c2', name: 'calm-node', status: 'running', capabilities: ['direct'] },
  { kind: 'shownFence', number: 7 },
  { kind: 'typedAnswer', number: 8 },
  { kind: 'output', data: text('abc') },
  { kind: 'redraw', data: text('\x1b[2J') },
  { kind: 'exit', end: { reason: 'ended', exitCode: 143, signal: 'SIGTERM' } },
  { kind: 'exit', end: { reason: 'stolen', rowsBelow: 4 } },
  { kind: 'error', code: 'busy', message: 'm' },
  { kind: 'answer', status: 'running', attachment: 'attached', changed: true, snapshot: 3 },
  { kind: 'progress', message: 'm' },
  { kind: 'stopped' },
];

function readFrames(data: Buffer, decode: typeof decodeClientMessage | typeof decodeServerMessage): void {
  for (const frame of new FrameDecoder().push(data)) decode(frame);
}

/** One message of the mediator (asked.c). */
function told(kind: number, path: string): Buffer {
  const message = Buffer.alloc(32);
  message.writeUInt32LE(32 + path.length, 0);
  message.writeUInt32LE(kind, 4);
  message.writeInt32LE(1, 24);
  return Buffer.concat([message, Buffer.from(path, 'latin1')]);
}

/** One directory with a file and a link. */
function nodes(): Buffer {
  const entry = (kind: string, name: string, target: string) => {
    const fixed = Buffer.alloc(104, 1);
    fixed.fill(0, 1, 72);
    fixed.write(kind, 0, 'latin1');
    fixed.writeUInt16LE(name.length, 4);
    fixed.writeUInt16LE(target.length, 6);
    return Buffer.concat([fixed, Buffer.from(name + target, 'latin1')]);
  };
  const entries = Buffer.concat([entry('f', 'a', ''), entry('l', 'b', '/etc')]);
  const header = Buffer.alloc(40);
  header.write('NONONODE', 0, 'latin1');
  header.writeUInt32LE(1, 8);
  header.writeUInt32LE(32, 12);
  header.writeUInt32LE(entries.length + 8, 32);
  header.writeUInt32LE(2, 36);
  return Buffer.concat([header, entries]);
}

function gitIndex(): Buffer {
  const head = Buffer.alloc(12);
  head.write('DIRC');
  head.writeUInt32BE(2, 4);
  head.writeUInt32BE(2, 8);
  const entry = (name: string) => {
    const fixed = Buffer.alloc(Math.ceil((63 + name.length) / 8) * 8);
    fixed.writeUInt16BE(name.length, 60);
    fixed.write(name, 62, 'latin1');
    return fixed;
  };
  return Buffer.concat([head, entry('a'), entry('dir/b')]);
}

function recording(name: string): Buffer {
  return gunzipSync(readFileSync(join(RECORDINGS, name))).subarray(0, 3000);
}

/** All that a terminal makes of bytes: the model, a drawing of it, its document, the log as text. */
function show(data: Buffer): void {
  const model = createModel({ columns: 20, rows: 6 });
  model.write(data);
  for (const piece of painted(model, { historyFrom: 0, isFirst: true })) expect(piece).toBeInstanceOf(Uint8Array);
  parseScreen('a3f7c2', Buffer.from(JSON.stringify(screenDocument(model))));
  const renderer = new LogRenderer({ columns: 20, rows: 6 });
  for (const line of [...renderer.push(data), ...renderer.finish()]) expect(line).toBeDefined();
}

const TARGETS: readonly Target[] = [
  {
    name: 'frames of a client',
    corpus: [Buffer.concat(CLIENT_MESSAGES.map(encodeClientMessage))],
    read: (data) => readFrames(data, decodeClientMessage),
    refusals: [ProtocolError],
  },
  {
    name: 'frames of a supervisor',
    corpus: [Buffer.concat(SERVER_MESSAGES.map(encodeServerMessage))],
    read: (data) => readFrames(data, decodeServerMessage),
    refusals: [ProtocolError],
  },
  {
    name: 'what the mediator tells',
    corpus: [Buffer.concat([told(1, '/a'), told(2, ''), told(3, '/b'), told(4, '')])],
    read: (data) => new ToldReader().push(data),
    refusals: [RangeError],
  },
  { name: 'what the mediator refused', corpus: [Buffer.alloc(200, 1)], read: decodeRefusals },
  {
    name: 'the record of a session',
    corpus: [json(RECORD, 2)],
    isJson: true,
    read: (data) => parseRecord('a3f7c2', bytes(data)),
  },
  {
    name: 'an audit log',
    corpus: [Buffer.concat([1, 2].map((number) => json({ format: 1, number, event: 'gap', lost: 2, prev: '0'.repeat(64) })))],
    isJson: true,
    read: (data) => readAudit(bytes(data), hash, { events: 2, digest: '' }),
  },
  {
    name: 'a screen',
    corpus: [
      json({ format: 1, columns: 9, rows: 2, cursor: { row: 1 }, lines: [{ wrapped: true, runs: [{ text: 'a', style: '1' }] }] }),
    ],
    isJson: true,
    read: (data) => parseScreen('a3f7c2', data),
  },
  {
    name: 'the times of an output log',
    corpus: [text('[0,80,24]\n[5,10]\n[1000,100,40]\n[2000,64]\n')],
    read: (data) => [...castLines({ data, times: parseTimes(data.toString('latin1')) }, 'title')],
  },
  {
    name: 'a manifest',
    corpus: [encodeManifest(SAMPLE_MANIFEST, hash)],
    isJson: true,
    read: (data) => decodeManifest(data, 'm', hash),
  },
  { name: 'a journal', corpus: [journalBytes()], isJson: true, read: readJournalOf },
  {
    name: 'a snapshot',
    corpus: [nodes()],
    read: (data) => {
      decodeHeader(data);
      decodeNames(data, 32);
      for (const { name } of decodeNode(data, 32, 0, false)) expect(name).not.toMatch(/[/\0]|^\.{0,2}$/);
    },
  },
  {
    name: 'what git had',
    corpus: [
      json({
        format: 1,
        trees: [{ top: '/t', directory: '/d', common: '/c', head: 'h', refs: [['r', 'v']], index: '', files: [] }],
      }),
    ],
    isJson: true,
    read: (data) => decodeGitRecords(bytes(data)),
  },
  { name: 'a git index', corpus: [gitIndex()], read: (data) => parseGitIndex(data) },
  {
    name: 'a git config',
    corpus: [text('[core]\n\thooksPath = a\\\n b\n[alias "x.y"]\n\tz = "!q\\"" ; c\n')],
    read: (data) => parseGitConfig(bytes(data)),
  },
  {
    name: 'a .gitignore',
    corpus: [text('*.o\n!/keep/**/x\n[a-z]?\\*\nbuild/\n**/a**b/***\n')],
    read: (data) =>
      decideIgnored(parseIgnoreFile(bytes(data)), 'build/sub/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.o' as Bytes, 'a.o' as Bytes, false),
  },
  {
    name: 'a configuration',
    corpus: [text('[rollback]\nkeep = 5\n[session]\ndetach_keys = "ctrl-] d"\n')],
    read: (data) => loadConfig(data.toString(), 'c'),
  },
  {
    name: 'a profile',
    corpus: [
      text(
        `extends = ["a"]\n[filesystem]\nread = ["~/x"]\ncreate_file = { "~/.m" = "{}" }\n[environment]\nset_vars = { A = '''\nb''' }\n`,
      ),
    ],
    read: (data) => parseProfile(data.toString(), 'p'),
  },
  { name: 'what a program writes', corpus: readdirSync(RECORDINGS).map(recording), read: show },
];

describe.for(TARGETS)('$name, changed in whatever way,', ({ corpus, isJson = false, read, refusals = [NonoError] }) => {
  test('is read or refused, soon and in words', () => {
    const changed = fc.record({ whole: fc.constantFrom(...corpus), changes: isJson ? jsonMutations : mutations });
    fc.assert(
      fc.property(changed, ({ whole, changes }) => {
        const begunMs = performance.now();
        try {
          read(mutate(whole, changes, corpus));
        } catch (error) {
          if (!refusals.some((kind) => error instanceof kind)) throw error;
        }
        expect(performance.now() - begunMs).toBeLessThan(HANG_MS);
      }),
      RUNS,
    );
  });
});

test('frames are the same wherever the stream was cut', () => {
  const stream = Buffer.concat(CLIENT_MESSAGES.map(encodeClientMessage));
  fc.assert(
    fc.property(mutations, fc.array(fc.integer({ min: 1, max: 64 }), { minLength: 1 }), (changes, lengths) => {
      const data = mutate(stream, changes);
      const whole = framesOf([data]);
      const pieces: Buffer[] = [];
      for (let at = 0, nth = 0; at < data.length; nth++) {
        const length = lengths[nth % lengths.length] ?? 1;
        pieces.push(data.subarray(at, at + length));
        at += length;
      }
      expect(framesOf(pieces)).toEqual(whole);
    }),
    RUNS,
  );
});

/** The frames up to the first byte that can be of none, and whether there was one. */
function framesOf(pieces: readonly Buffer[]): readonly unknown[] {
  const decoder = new FrameDecoder();
  const frames: unknown[] = [];
  try {
    for (const piece of pieces) for (const frame of decoder.push(piece)) frames.push(frame);
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    frames.push('refused');
  }
  return frames;
}

test('whatever is typed reaches the command, but for the detach sequence', () => {
  const keys = parseKeySequence('ctrl-] d') ?? [];
  const typed = fc.array(fc.constantFrom('\x1d', 'd', '\x1b', '\x1b[93;5u', '\x1b[', '100', 'u', '~', 'x', '\xff', '\x1b[200~'));
  fc.assert(
    fc.property(typed, (pieces) => {
      const matcher = new DetachMatcher(keys);
      let forwarded = '';
      let nowMs = 0;
      for (const piece of pieces) {
        const { forward, isDetach } = matcher.push(Buffer.from(piece, 'latin1'), (nowMs += 1));
        forwarded += Buffer.from(forward).toString('latin1');
        if (isDetach) return;
      }
      forwarded += Buffer.from(matcher.expire(nowMs + 10_000)).toString('latin1');
      expect(forwarded).toBe(pieces.join(''));
    }),
    RUNS,
  );
});
