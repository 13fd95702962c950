import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runNono, runProgram } from '../support/nono.ts';
import { needCommands, needOtherUser } from '../support/tools.ts';
import { createWorld, type World } from '../support/world.ts';

const SSHD = '/usr/sbin/sshd';
/** The user of the world, by name: an sshd of an ordinary user lets nobody else in. */
const USER = 'nobody';
const NOBODY = 65534;

describe('ssh to a server that lets a key in', () => {
  test('works with that key granted and nothing else of ~/.ssh, and not without', async (context) => {
    needOtherUser(context);
    needCommands(context, SSHD, 'ssh', 'sftp', 'ssh-keygen');
    using world = createWorld({ ordinaryUser: true });
    const port = await freePort();
    makeKeys(world, port);
    const server = await startServer(world, port);
    try {
      // No shell takes part, since this user has none; sftp runs ssh.
      const fetch = ['sftp', '-q', '-F', 'none', '-o', 'BatchMode=yes', '-o', 'IdentityAgent=none', '-o', 'IdentitiesOnly=yes'];
      const known = join(world.home, '.ssh/known_hosts');
      const key = join(world.home, '.ssh/deploy');
      const words = [...fetch, '-o', `UserKnownHostsFile=${known}`, '-i', key, '-P', String(port)];
      const call = [...words, `${USER}@127.0.0.1:${world.home}/file`, 'fetched'] as const;
      const [program, ...rest] = call;
      const outside = await runProgram(world, [program, ...rest]);
      if (outside.status !== 0) context.skip(`this sshd lets an ordinary user not in: ${outside.stderr.trim()}`);
      rmSync(join(world.project, 'fetched'));

      const grant = (path: string): readonly string[] => ['--read-file', path, '--override-deny', path];
      const granted = await runNono(world, ['run', '--allow-cwd', ...grant(key), ...grant(known), '--', ...call]);
      expect(granted).toMatchObject({ status: 0, stderr: '' });
      expect(readFileSync(join(world.project, 'fetched'), 'utf8')).toBe('served\n');

      const refused = await runNono(world, ['run', '--allow-cwd', ...grant(known), '--', ...call]);
      expect(refused.status).not.toBe(0);
    } finally {
      server.kill('SIGTERM');
    }
  });
});

/** A key of the host and one of the user, the files that trust them, and what is served. */
function makeKeys({ home, directory }: World, port: number): void {
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const key = (path: string): string => {
    expect(spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', path]).status).toBe(0);
    chmodSync(path, 0o600);
    return readFileSync(`${path}.pub`, 'utf8');
  };
  const host = key(join(directory, 'host'));
  writeFileSync(join(directory, 'authorized'), key(join(home, '.ssh/deploy')));
  writeFileSync(join(home, '.ssh/known_hosts'), `[127.0.0.1]:${port} ${host}`);
  writeFileSync(join(home, 'file'), 'served\n');
  writeFileSync(
    join(directory, 'configuration'),
    `Port ${port}
ListenAddress 127.0.0.1
HostKey ${directory}/host
AuthorizedKeysFile ${directory}/authorized
PidFile none
UsePAM yes
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
Subsystem sftp internal-sftp
`,
  );
  for (const path of ['.ssh', '.ssh/deploy', '.ssh/known_hosts', 'file']) chownSync(join(home, path), NOBODY, NOBODY);
  for (const path of ['host', 'authorized', 'configuration']) chownSync(join(directory, path), NOBODY, NOBODY);
}

async function startServer(world: World, port: number): Promise<ChildProcess> {
  const [file, ...rest] = [...world.asUser, SSHD, '-D', '-e', '-f', join(world.directory, 'configuration')];
  const server = spawn(file, rest, { env: { ...world.environment }, stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    server.once('exit', () => reject(new Error(`sshd ended: ${said}`)));
    server.stderr?.on('data', (data: Buffer) => {
      said += data.toString();
      if (said.includes(`port ${port}`)) resolve();
    });
  });
  return server;
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen({ port: 0, host: '127.0.0.1' }, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
