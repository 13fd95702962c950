import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startNodePty } from '../../src/platform/node/pty.ts';
import type { Pty } from '../../src/ports/pty.ts';
import { type Outcome, runNono } from './nono.ts';
import { linkOf, processesOf } from './processes.ts';
import { isAlive, readRecord, recordPath } from './sessions.ts';
import { makeTree } from './small-tree.ts';
import { dumpTree } from './tree.ts';
import { waitFor } from './wait.ts';
import { BUILT_EXECUTABLE, createWorld, type World } from './world.ts';

/** What each session does to its tree at once; then it is a shell that does as it is told. */
const EDITS = 'echo changed >a; rm -r gone link; mkdir new; echo n >new/f; chmod 600 sub/b; exec sh';
const DETACH = Buffer.from('\x1dd');
const SIGKILL = 9;
const SIGSTOP = 19;
const SIGCONT = 18;
const TIMEOUT_MS = 60_000;
const POLL_MS = 20;
/** All that there is below NONO_HOME. */
const STATE: readonly string[] = ['names', 'rollbacks', 'sessions'];
/** Without a change; what is closed late is closed by the garbage collector. */
const RESTING_MS = 2000;

interface Session {
  readonly id: string;
  readonly project: string;
  /** The tree before it began. */
  readonly before: readonly string[];
  readonly rollback: string;
  /** Nobody stops or kills it. */
  readonly stays: boolean;
  isOver: boolean;
  /** Its changes were undone. */
  isRestored: boolean;
  /** Its supervisor was killed: what it left is removed by others. */
  isKilled: boolean;
}

/** A terminal on which somebody is attached. */
interface Client {
  readonly session: Session;
  readonly pty: Pty;
  isOver: boolean;
}

/** What a supervisor holds. */
export interface Held {
  readonly id: string;
  /** What they lead to, sorted. */
  readonly descriptors: readonly string[];
  readonly threads: number;
  readonly residentBytes: number;
}

/** Numbers below `count`, the same for the same seed (mulberry32). */
export function makeRandom(seed: number): (count: number) => number {
  let state = seed >>> 0;
  return (count) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * count);
  };
}

/** Sessions that are started, attached to, resized, flooded, left, stopped and killed at random. */
export class Soak implements Disposable {
  readonly #world: World;
  readonly #random: (count: number) => number;
  readonly #sessions: Session[] = [];
  #clients: Client[] = [];
  readonly #failures: string[] = [];
  #pruning: Promise<void> = Promise.resolve();
  readonly counts = new Map<string, number>();

  constructor(place: string, random: (count: number) => number) {
    // Its own, so that supervisors and guardians, which work nowhere and have an environment of theirs, are seen to be this world's.
    this.#world = createWorld({ place, ownExecutable: BUILT_EXECUTABLE });
    this.#random = random;
    fs.mkdirSync(join(this.#world.directory, 'tmp'), { mode: 0o700 });
    const configuration = join(this.#world.home, '.config/nono');
    fs.mkdirSync(configuration, { recursive: true });
    // None goes to make room for another: each is restored at the end.
    fs.writeFileSync(join(configuration, 'config.toml'), '[rollback]\nmax_sessions = 100000\nmax_storage_gb = 500\n');
  }

  get #environment(): Record<string, string> {
    return { ...this.#world.environment, TMPDIR: join(this.#world.directory, 'tmp') };
  }

  #nono(words: readonly string[], cwd = this.#world.project): Promise<Outcome> {
    return runNono(this.#world, words, { cwd, environment: this.#environment, timeoutMs: TIMEOUT_MS });
  }

  async #needed(words: readonly string[], cwd?: string): Promise<Outcome> {
    const outcome = await this.#nono(words, cwd);
    if (outcome.status !== 0) throw new Error(`nono ${words.join(' ')}: ${outcome.status} ${outcome.stdout}${outcome.stderr}`);
    return outcome;
  }

  get live(): readonly Session[] {
    return this.#sessions.filter(({ isOver }) => !isOver);
  }

  async start({ stays = false } = {}): Promise<Session> {
    const project = join(this.#world.project, String(this.#sessions.length));
    fs.mkdirSync(project);
    makeTree(project);
    const before = dumpTree(project);
    const words = ['run', '--detached', '--rollback', '--allow-cwd', '--', 'sh', '-c', EDITS];
    const { stdout, stderr } = await this.#needed(words, project);
    const id = /session (?<id>[0-9a-f]{6})\./.exec(stdout)?.groups?.['id'];
    const rollback = /(?<id>\d{8}-\d{6}-\d+)/.exec(stderr)?.groups?.['id'];
    const named = rollback ?? (id === undefined ? undefined : this.#rollbackOf(id));
    if (id === undefined || named === undefined) throw new Error(`Not started: ${stdout}${stderr}`);
    const session = { id, project, before, rollback: named, stays, isOver: false, isRestored: false, isKilled: false };
    this.#sessions.push(session);
    return session;
  }

  #rollbackOf(id: string): string | undefined {
    const record = readRecord(this.#world, id) as unknown as { readonly rollback_session: string | null };
    return record.rollback_session ?? undefined;
  }

  /** One thing, to whatever session or client there is. */
  async step(sessionsMaximum: number): Promise<void> {
    const { live } = this;
    const session = live[this.#random(live.length)];
    const mortal = live.filter(({ stays }) => !stays)[this.#random(live.length)];
    const client = this.#clients.filter(({ isOver }) => !isOver)[this.#random(this.#clients.length)];
    const chance = this.#random(100);
    if (session === undefined || (chance < 20 && live.length < sessionsMaximum)) {
      this.#count('started');
      await this.start();
    } else if (chance < 40) this.attach(session, chance < 25);
    else if (chance < 70 && client !== undefined) await this.#use(client, this.#random(6));
    else if (chance < 76 && mortal !== undefined) await this.#stop(mortal);
    else if (chance < 80 && mortal !== undefined) this.#kill(mortal);
    else if (chance < 84) await this.#told('checkpoint', ['rollback', 'checkpoint', session.id]);
    else if (chance < 88) await this.#told('detach', ['detach', session.id]);
    else if (chance < 92) await this.#told('screen', ['screen', session.id]);
    else if (chance < 96) await this.#told('send', ['send', session.id, `echo ${chance} >>a`]);
    else if (chance < 98) await this.#told('ps', ['ps', '--all', '--json']);
    else await this.#pruneMeanwhile();
  }

  /** Half of them are put back at once: with thousands of sessions each takes its time. */
  async #stop(session: Session): Promise<void> {
    await this.#told('stop', ['stop', '--force', session.id], session);
    if (this.#random(2) === 0) await this.#restore(session);
  }

  async #restore(session: Session): Promise<void> {
    const { id, project, before, rollback } = session;
    this.#count('restored');
    session.isRestored = true;
    const { status, stdout, stderr } = await this.#nono(['rollback', 'restore', rollback]);
    const after = dumpTree(project);
    if (status === 0 && after.join('\n') === before.join('\n')) return;
    const differs = after.filter((line) => !before.includes(line)).join('\n');
    this.#failures.push(`${id}: not restored (${status}): ${stdout}${stderr}${differs}`);
  }

  /** What comes next goes on beside it. */
  async #pruneMeanwhile(): Promise<void> {
    await this.#pruning;
    this.#pruning = this.#told('prune', ['prune']);
  }

  attach(session: Session, steals: boolean): Client {
    this.#count('attached');
    const [columns, rows] = [20 + this.#random(100), 5 + this.#random(40)];
    const script = `exec 3>&-; exec "$0" attach ${steals ? '--steal ' : ''}${session.id}`;
    const pty = startNodePty({
      file: '/bin/sh',
      arguments: ['-c', script, this.#world.executable],
      environment: this.#environment,
      columns,
      rows,
      onData: () => undefined,
      onMessage: () => undefined,
    });
    const client: Client = { session, pty, isOver: false };
    this.#clients.push(client);
    void pty.exited.then(() => {
      client.isOver = true;
      this.#clients = this.#clients.filter((other) => other !== client);
      pty[Symbol.dispose]();
      return undefined;
    });
    return client;
  }

  async #use(client: Client, what: number): Promise<void> {
    const { pty } = client;
    this.#count(['typed', 'flooded', 'resized', 'left', 'dropped', 'halted'][what] ?? '');
    if (what === 0) pty.write(Buffer.from('echo typed >>a\r'));
    else if (what === 1) pty.write(Buffer.from('yes flood | head -c 3000000\r'));
    else if (what === 2) pty.resize({ columns: 20 + this.#random(100), rows: 5 + this.#random(40) });
    else if (what === 3) pty.write(DETACH);
    else if (what === 4) pty.kill(SIGKILL);
    else {
      pty.kill(SIGSTOP);
      await this.#told('ps', ['ps', '--json']);
      pty.kill(SIGCONT);
    }
  }

  /** What may fail, since the session may be over, but in words. */
  async #told(what: string, words: readonly string[], ended?: Session): Promise<void> {
    this.#count(what);
    const { status, signal, stderr } = await this.#nono(words);
    if (signal !== null || status === null || status > 4 || /Internal error/.test(stderr))
      throw new Error(`nono ${words.join(' ')}: ${status} ${signal} ${stderr}`);
    if (ended !== undefined) ended.isOver = true;
  }

  #kill(session: Session): void {
    const { supervisor_pid: supervisor, child_pid: child } = readRecord(this.#world, session.id);
    const pid = this.#random(2) === 0 ? supervisor : child;
    this.#count(pid === supervisor ? 'supervisor killed' : 'command killed');
    session.isKilled = pid === supervisor;
    if (isAlive(pid)) process.kill(pid, 'SIGKILL');
    session.isOver = true;
  }

  #count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  /** Everybody goes. @returns what the supervisors hold that are left. */
  async heldAlone(): Promise<readonly Held[]> {
    for (const { pty } of this.#clients) pty.kill(SIGKILL);
    await Promise.all(this.#clients.map(({ pty }) => pty.exited));
    await this.#pruning;
    for (const session of this.live) this.#expectAlive(session);
    return await Promise.all(this.live.map((session) => this.held(session)));
  }

  /** What its supervisor holds when it has nothing to do any more. */
  async held({ id }: Session): Promise<Held> {
    const { supervisor_pid: pid } = readRecord(this.#world, id);
    const look = () =>
      fs
        .readdirSync(`/proc/${pid}/fd`)
        .map((fd) => linkOf(`/proc/${pid}/fd/${fd}`).replace(/\d+/g, 'N'))
        .toSorted();
    let descriptors = look();
    for (let since = performance.now(); performance.now() - since < RESTING_MS; await sleep(POLL_MS)) {
      const now = look();
      if (now.join('\n') !== descriptors.join('\n')) since = performance.now();
      descriptors = now;
    }
    const status = fs.readFileSync(`/proc/${pid}/status`, 'latin1');
    const numberOf = (name: string) => Number(new RegExp(`^${name}:\\s+(?<value>\\d+)`, 'm').exec(status)?.groups?.['value']);
    return { id, descriptors, threads: numberOf('Threads'), residentBytes: numberOf('VmRSS') * 1024 };
  }

  /** Attaches, types something, and goes when that is known to have come. */
  async visit(session: Session): Promise<void> {
    const { pty } = this.attach(session, false);
    await waitFor('the client to be attached', () => readRecord(this.#world, session.id).attachment === 'attached', TIMEOUT_MS);
    pty.write(Buffer.from('echo visited >visited\r'));
    await waitFor('what was typed', () => fs.existsSync(join(session.project, 'visited')), TIMEOUT_MS);
    pty.write(DETACH);
    await pty.exited;
  }

  /** Nobody has ended it. */
  #expectAlive({ id }: Session): void {
    // Not looked for with readdir(3), which may pass over a record that is being replaced.
    const isThere = fs.existsSync(recordPath(this.#world, id));
    const record = isThere ? readRecord(this.#world, id) : undefined;
    if (record?.status === 'running' && isAlive(record.supervisor_pid)) return;
    const files = fs.readdirSync(join(this.#world.state, 'sessions')).filter((name) => name.startsWith(id));
    throw new Error(`Session ${id} has ended by itself: ${files.join(' ')} ${JSON.stringify(record)}`);
  }

  /** Every session ends. @returns what is left that must not be. */
  async end(): Promise<readonly string[]> {
    for (const session of this.live) await this.#told('stop', ['stop', '--force', session.id], session);
    await waitFor('all processes to be gone', () => processesOf(this.#world).length === 0, TIMEOUT_MS);
    const left = this.#sessions.filter(({ isKilled }) => !isKilled).flatMap(({ id }) => this.#filesOf(id, '.sock'));
    for (const session of this.#sessions.filter(({ isRestored }) => !isRestored)) await this.#restore(session);
    left.push(...this.#failures);
    await this.#needed(['rollback', 'verify', '--all']);
    await this.#needed(['audit', 'verify', '--all']);
    await this.#needed(['prune']);
    left.push(...fs.readdirSync(this.#world.state).filter((name) => !STATE.includes(name)));
    // The state that stays is that of restores, which are rollback sessions of their own.
    for (const place of ['home/.nono/sessions', 'home/.nono/names', 'tmp']) {
      const names = fs
        .readdirSync(join(this.#world.directory, place))
        .filter((name) => place !== 'tmp' || name !== 'node-compile-cache');
      left.push(...names.map((name) => `${place}/${name}`));
    }
    const unfinished = fs.readdirSync(join(this.#world.state, 'rollbacks')).filter((name) => !/^\d{8}-\d{6}-\d+$/.test(name));
    return [...left, ...unfinished, ...this.#sessions.flatMap(({ id }) => temporaryDirectoriesOf(id))];
  }

  /** What a session that was not killed has left but for what is to stay. */
  #filesOf(id: string, extension: string): readonly string[] {
    const name = `${id}${extension}`;
    const isThere = fs.existsSync(join(this.#world.state, 'sessions', name));
    return [...(isThere ? [name] : []), ...temporaryDirectoriesOf(id)];
  }

  [Symbol.dispose](): void {
    for (const { pty } of this.#clients) pty.kill(SIGKILL);
    for (const pid of processesOf(this.#world)) execFileSync('kill', ['-9', `${pid}`], { stdio: 'ignore' });
    this.#world[Symbol.dispose]();
  }
}

function temporaryDirectoriesOf(id: string): readonly string[] {
  return fs.readdirSync('/tmp').filter((name) => name.startsWith(`nono-${id}-`));
}
