import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Spawn, StartedProcess } from '../../src/ports/spawn.ts';

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (data: Uint8Array): string => new TextDecoder().decode(data);

/** A zombie, or reaped already. */
function hasEnded(pid: number): boolean {
  try {
    return / Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/\(.*\)/, ''));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return true;
  }
}

/** What every Spawn adapter owes its callers. */
export function describeSpawnContract(name: string, createSpawn: () => Promise<Spawn>): void {
  const start = async (script: string, environment: Readonly<Record<string, string>> = {}): Promise<StartedProcess> =>
    (await createSpawn()).start({ file: '/bin/sh', arguments: ['-c', script], environment });

  describe(`${name} spawn`, () => {
    test('hands a message over and gives back what was answered', async () => {
      const child = await start('cat <&3 | tr a-z A-Z >&3');

      expect(decode(await child.exchange(encode('hello')))).toBe('HELLO');
      expect(await child.exited).toEqual({ code: 0, signal: null });
    });

    test('hands over more than a socket holds', async () => {
      const child = await start('wc -c <&3 >&3');

      expect(Number(decode(await child.exchange(new Uint8Array(3_000_000))))).toBe(3_000_000);
    });

    test('ends the answer when the other side closes it, though the process lives on', async () => {
      const child = await start('exec cat <&3 >/dev/null 3>&-; read never');
      const other = await start('cat <&3 >/dev/null; exec 3>&-; exec sleep 1000');

      expect(decode(await child.exchange(encode('x')))).toBe('');
      expect(decode(await other.exchange(encode('x')))).toBe('');
      other.kill(9);
      expect(await other.exited).toEqual({ code: null, signal: 9 });
    });

    test('survives a process that reads nothing', async () => {
      const child = await start('exit 3');
      await child.exited;

      expect(decode(await child.exchange(new Uint8Array(3_000_000)))).toBe('');
      child.kill(15);
    });

    test.for(['', 'unread'])('gives what a process wrote that has ended before it is told %j', async (message) => {
      const child = await start('echo hello >&3');
      while (!hasEnded(child.pid)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);

      expect(decode(await child.exchange(encode(message)))).toBe('hello\n');
    });

    test('passes exactly the environment', async () => {
      const child = await start('env >&3', { ONE: 'x y' });

      const lines = decode(await child.exchange(encode('')))
        .trim()
        .split('\n');
      expect(lines).toContain('ONE=x y');
      expect(lines.filter((line) => line.includes('=')).filter((line) => !/^(?:PWD|SHLVL|_|OLDPWD|ONE)=/.test(line))).toEqual([]);
    });

    test('stays in the process group of the caller', async () => {
      const child = await start('cut -d " " -f 5 /proc/self/stat >&3');
      const [, , , , group] = readFileSync('/proc/self/stat', 'latin1')
        .replace(/\(.*\)/, 'x')
        .split(' ');

      expect(decode(await child.exchange(encode(''))).trim()).toBe(group);
    });

    test.for([1, 2, 6, 9, 15])('tells of signal %i by number', async (signal) => {
      const child = await start(`kill -${signal} $$`);

      expect(await child.exited).toEqual({ code: null, signal });
    });
  });
}
