import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesFromText } from '../../src/bytes.ts';
import { measureRemovals, removeSessions } from '../../src/rollback/removal.ts';
import type { Finding } from '../../src/rollback/verify.ts';
import { loadAdapters } from '../support/adapters.ts';
import { stride } from '../support/effort.ts';
import { Engine } from './support/engine.ts';

const { hash } = await loadAdapters();

/** A session with two snapshots, a subdirectory, a link, a skipped entry and a few small contents. */
async function makeSession(engine: Engine): Promise<{ readonly id: string; readonly directory: string }> {
  fs.mkdirSync(join(engine.root, 'sub'));
  fs.writeFileSync(join(engine.root, 'sub/one'), 'content');
  fs.writeFileSync(join(engine.root, 'empty'), '');
  fs.symlinkSync('sub/one', join(engine.root, 'link'));
  fs.mkdirSync(join(engine.root, '.git'));
  const id = await engine.run(() => fs.writeFileSync(join(engine.root, 'new'), 'new'));
  return { id, directory: join(engine.state, 'rollbacks', id) };
}

/** The regular files of a session relative to its directory, without the lock, which holds nothing. */
function filesOf(directory: string): string[] {
  const paths = fs.readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return paths.filter((path) => path !== 'lock' && fs.lstatSync(join(directory, path)).isFile()).sort();
}

async function verify(engine: Engine, id: string): Promise<readonly Finding[]> {
  return (await engine.verify(id)).findings;
}

/** Writes in place, so that a million changes take no million inodes. */
function overwrite(path: string, data: Buffer): void {
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, data);
}

describe('verifySession()', () => {
  test('finds nothing in a session that nobody has touched', async () => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const result = await engine.verify(id);
    // Three contents, and what was found of git.
    expect(result).toMatchObject({ session: id, objects: 4, findings: [] });
    expect(filesOf(directory).map((path) => path.replace(/[0-9a-f]{60,}$/, '…'))).toHaveLength(7);
  });

  test('finds every flipped bit of the manifest, of the nodes and of the objects', async () => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const unseen: string[] = [];
    for (const path of filesOf(directory)) {
      const data = fs.readFileSync(join(directory, path));
      for (let place = 0; place < data.length * 8; place += stride(1)) {
        const at = Math.floor(place / 8);
        const bit = 1 << (place % 8);
        const whole = data[at] as number;
        data[at] = whole ^ bit;
        overwrite(join(directory, path), data);
        if ((await verify(engine, id)).length === 0) unseen.push(`${path}: ${bit} at ${at}`);
        data[at] = whole;
      }
      overwrite(join(directory, path), data);
    }
    expect(unseen).toEqual([]);
    expect(await verify(engine, id)).toEqual([]);
  });

  test('finds every file that is cut, longer or missing', async () => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const unseen: string[] = [];
    for (const path of filesOf(directory)) {
      const data = fs.readFileSync(join(directory, path));
      const versions = Array.from(data, (_, length) => data.subarray(0, length));
      for (const version of [...versions, Buffer.concat([data, Buffer.from('\n')])]) {
        overwrite(join(directory, path), version);
        if ((await verify(engine, id)).length === 0) unseen.push(`${path}: ${version.length} bytes`);
      }
      overwrite(join(directory, path), data);
    }
    expect(unseen).toEqual([]);
  });

  test('finds each content of a .git that is gone', async () => {
    using engine = new Engine();
    const config = join(engine.root, '.git/config');
    fs.mkdirSync(join(engine.root, '.git/hooks'), { recursive: true });
    fs.writeFileSync(config, '[core]\n\tbare = false\n');
    const id = await engine.run(() => {
      fs.writeFileSync(config, '[core]\n\tpager = other\n');
      fs.writeFileSync(join(engine.root, '.git/hooks/pre-commit'), 'hook');
    });
    const objects = join(engine.state, 'rollbacks', id, 'objects');
    const paths = filesOf(objects);
    expect(paths).toHaveLength(5);
    for (const path of paths.map((name) => join(objects, name))) {
      fs.renameSync(path, `${path}.away`);
      expect(await verify(engine, id)).toMatchObject([{ kind: 'missing-object', path: '.git' }]);
      fs.renameSync(`${path}.away`, path);
    }
    expect(await verify(engine, id)).toEqual([]);
  });

  const OBJECT = /^objects\//;
  test.for([
    { file: OBJECT, kind: 'missing-object', what: 'is gone', damage: (path: string) => fs.rmSync(path) },
    {
      file: OBJECT,
      kind: 'damaged-object',
      what: 'is a directory',
      damage: (path: string) => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
    },
    {
      file: OBJECT,
      kind: 'damaged-object',
      what: 'is a link to the right content',
      damage: (path: string) => {
        fs.renameSync(path, `${path}.moved`);
        fs.symlinkSync(`${path}.moved`, path);
      },
    },
    {
      file: OBJECT,
      kind: 'damaged-object',
      what: 'is a FIFO',
      damage: (path: string) => {
        fs.rmSync(path);
        execFileSync('mkfifo', [path]);
      },
    },
    { file: /^snapshots\/0/, kind: 'nodes', what: 'is gone', damage: (path: string) => fs.rmSync(path) },
    {
      file: /^snapshots\/1/,
      kind: 'nodes',
      what: 'is a directory',
      damage: (path: string) => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
    },
    {
      file: /^manifest/,
      kind: 'manifest',
      what: 'is a directory',
      damage: (path: string) => {
        fs.rmSync(path);
        fs.mkdirSync(path);
      },
    },
    {
      file: /^manifest/,
      kind: 'manifest',
      what: 'is a FIFO',
      damage: (path: string) => {
        fs.rmSync(path);
        execFileSync('mkfifo', [path]);
      },
    },
    {
      file: /^manifest/,
      kind: 'manifest',
      what: 'is a link to the right content',
      damage: (path: string) => {
        fs.renameSync(path, `${path}.moved`);
        fs.symlinkSync(`${path}.moved`, path);
      },
    },
  ])('reports $kind when what is at $file $what', async ({ file, kind, damage }) => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const path = filesOf(directory).find((each) => file.test(each)) as string;
    damage(join(directory, path));
    const findings = await verify(engine, id);
    expect(findings.length).toBeGreaterThan(0);
    expect(new Set(findings.map((finding) => finding.kind))).toEqual(new Set([kind]));
  });

  test.for(['objects', 'snapshots', 'snapshots/1'])('reports a session without its directory %s', async (name) => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    fs.renameSync(join(directory, name), join(engine.directory, 'away'));
    expect((await verify(engine, id)).length).toBeGreaterThan(0);
    fs.symlinkSync(join(engine.directory, 'away'), join(directory, name));
    expect((await verify(engine, id)).length).toBeGreaterThan(0);
  });

  test('names the tracked file whose content is damaged, and the rest is sound', async () => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const sha256 = Buffer.from(hash.sha256(Buffer.from('content')), 'latin1').toString('hex');
    overwrite(join(directory, 'objects', sha256.slice(0, 2), sha256.slice(2)), Buffer.from('Content'));
    expect(await verify(engine, id)).toMatchObject([{ kind: 'damaged-object', path: join(engine.root, 'sub/one') }]);
  });
});

describe('a store with damaged sessions', () => {
  test.for([
    { what: 'whose manifest belongs to another', damage: 'copy' },
    { what: 'that is a link to a healthy one', damage: 'link' },
    { what: 'that is a file', damage: 'file' },
    { what: 'that has only a manifest', damage: 'bare' },
    { what: 'that nobody may enter', damage: 'closed' },
  ])('lists the healthy ones beside one $what', async ({ damage }) => {
    using engine = new Engine();
    const { id, directory } = await makeSession(engine);
    const other = join(engine.state, 'rollbacks', '20200101-000000-1');
    if (damage === 'copy') fs.cpSync(directory, other, { recursive: true });
    if (damage === 'link') fs.symlinkSync(directory, other);
    if (damage === 'file') fs.writeFileSync(other, '');
    if (damage === 'bare') {
      fs.mkdirSync(other);
      fs.writeFileSync(join(other, 'manifest.json'), '{}');
    }
    if (damage === 'closed') {
      fs.cpSync(directory, other, { recursive: true });
      fs.chmodSync(other, 0o000);
    }
    const unreadable: string[] = [];
    using store = engine.store();
    const manifests = store.manifests((session) => unreadable.push(session.id));
    expect(manifests.map((manifest) => manifest.id)).toEqual([id]);
    expect(unreadable).toEqual(damage === 'file' ? [] : ['20200101-000000-1']);
    if (damage === 'closed') {
      const closed = bytesFromText('20200101-000000-1');
      expect(await measureRemovals(store, [closed])).toHaveLength(process.getuid?.() === 0 ? 1 : 0);
      expect(await removeSessions(store, [closed])).toMatchObject([{ id: closed }]);
      expect(fs.existsSync(other)).toBe(false);
    } else fs.rmSync(other, { recursive: true });
  });
});
