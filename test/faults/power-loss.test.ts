import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openWorkshop, type Workshop } from '../support/fault-matrix.ts';
import { losePower, type Recording, record, UNDER_WAY } from '../support/losing-power.ts';
import { LOSSES, ModelDisk } from '../support/power-loss.ts';
import { makeRandom } from '../support/soak.ts';
import { needCommands } from '../support/tools.ts';
import { createWorld } from '../support/world.ts';

/** Of the moments of a scenario so many are tried with each change. */
const SAMPLE = Math.round(3 * Number(process.env['NONO_EFFORT'] ?? 1));
const SEED = Number(process.env['NONO_FAULTS_SEED'] ?? 1);
const ONLY = process.env['NONO_FAULTS_ONLY'];
let workshop: Workshop;
const counts: string[] = [];

beforeAll(() => {
  workshop = openWorkshop();
});
afterAll(() => {
  workshop[Symbol.dispose]();
  process.stdout.write(`Losses of power:\n${counts.map((line) => `  ${line}\n`).join('')}`);
});

/** What was done last before that moment. */
function plain({ lines }: Recording, moment: number): string {
  const decode = (hex: string) => Buffer.from(hex.replaceAll('\\x', ''), 'hex').toString('latin1');
  return (lines[moment - 1] ?? '').replaceAll(/(?:\\x[0-9a-f]{2})+/g, decode).slice(0, 300);
}

describe('a loss of power', () => {
  test.for(Object.keys(UNDER_WAY).filter((name) => ONLY === undefined || name === ONLY))(
    'during "%s" leaves all readable, and the next command goes on',
    async (name, context) => {
      needCommands(context, 'strace');
      using world = createWorld({ place: workshop.place, ownExecutable: workshop.executable });
      const recording = await record(world, name);
      const points = recording.moments.flatMap((moment) => LOSSES.map((loss) => ({ moment, loss })));
      const random = makeRandom(SEED);
      const drawn = points.map((point) => ({ point, at: random(1 << 30) })).toSorted((a, b) => a.at - b.at);
      // The end, and the last of the names that a restore gives, where most hangs on the order of what is synced.
      const renamed = recording.moments.findLast((moment) =>
        /^\d+ +renameat2.*\/project|rename.*resumed/.test(plain(recording, moment)),
      );
      const always = points.filter(({ moment }) => moment === recording.moments.at(-1) || moment === renamed);
      const tried = [...always, ...drawn.map(({ point }) => point).filter((point) => !always.includes(point))].slice(
        0,
        Math.max(SAMPLE, always.length),
      );
      const wrongs: object[] = [];
      for (const { moment, loss } of tried) {
        const wrong = await losePower(world, recording, moment, loss);
        if (wrong.length === 0) continue;
        wrongs.push({ name, loss, line: plain(recording, moment), wrong });
        process.stdout.write(`${JSON.stringify(wrongs.at(-1))}\n`);
      }
      counts.push(`${name}: ${tried.length} of ${points.length}`);
      expect(wrongs).toEqual([]);
    },
  );
});

describe('the model of a disk', () => {
  const hex = (text: string) =>
    [...Buffer.from(text, 'latin1')].map((unit) => `\\x${unit.toString(16).padStart(2, '0')}`).join('');
  const at = (path: string) => `3<${hex(path)}>`;
  const read = (disk: ModelDisk, loss: (typeof LOSSES)[number]) =>
    Object.fromEntries(disk.remains(loss).flatMap(({ path, kind, data }) => (kind === 'file' ? [[path, data.toString()]] : [])));

  test('keeps of what was not synced nothing, a name, or half', () => {
    const old = { path: '/r/old', kind: 'file', data: Buffer.from('before'), mode: 0o644, modified: undefined } as const;
    const disk = new ModelDisk(['/r'], [old]);
    const does = (line: string) => disk.apply(`7 ${line} = 0`);
    const opens = (name: string, flags: string) =>
      disk.apply(`7 openat(${at('/r')}, "${hex(name)}", O_RDWR|${flags}, 0600) = ${at(`/r/${name}`)}`);
    opens('new', 'O_CREAT|O_EXCL');
    disk.apply(`7 write(${at('/r/new')}, "${hex('after!')}", 6) = 6`);

    expect(read(disk, 'lost')).toEqual({ '/r/old': 'before' });
    expect(read(disk, 'empty')).toEqual({ '/r/old': 'before', '/r/new': '' });
    expect(read(disk, 'torn')).toEqual({ '/r/old': 'before', '/r/new': 'aft' });

    does(`renameat2(${at('/r')}, "${hex('new')}", ${at('/r')}, "${hex('old')}", 0)`);
    expect(read(disk, 'empty')).toEqual({ '/r/old': '' });
    does(`fsync(${at('/r/old')})`);
    expect(read(disk, 'lost')).toEqual({ '/r/old': 'before' });
    expect(read(disk, 'empty')).toEqual({ '/r/old': 'after!' });
    does(`fsync(${at('/r')})`);
    expect(read(disk, 'lost')).toEqual({ '/r/old': 'after!' });

    does(`unlinkat(${at('/r')}, "${hex('old')}", 0)`);
    expect(read(disk, 'lost')).toEqual({ '/r/old': 'after!' });
    does(`syncfs(${at('/r')})`);
    expect(read(disk, 'lost')).toEqual({});
  });

  test('follows a call that another one interrupts, and refuses one that it does not know', () => {
    const disk = new ModelDisk(['/r'], []);
    expect(disk.apply(`7 mkdirat(${at('/r')}, "${hex('d')}", 0700 <unfinished ...>`)).toBe(false);
    expect(disk.apply(`8 fsync(${at('/elsewhere')}) = 0`)).toBe(false);
    expect(disk.apply('7 <... mkdirat resumed>) = 0')).toBe(true);
    expect(disk.remains('torn').map(({ path }) => path)).toEqual(['/r', '/r/d']);
    expect(() => disk.apply(`7 fallocate(${at('/r/d')}, 0, 0, 10) = 0`)).toThrow('does not know fallocate');
  });
});
