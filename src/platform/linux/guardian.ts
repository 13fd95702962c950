import { encodeLine, LineReader } from '../../json-lines.ts';
import type { ProcessTree } from '../../ports/process-tree.ts';
import type { Mediating } from '../../ports/sandbox-host.ts';
import type { LaunchedProcess, ProcessExit } from '../../ports/spawn.ts';
import type { Launch } from '../../sandbox/launch.ts';
import { type LandlockRuleset, terminalRule } from '../../sandbox/linux/landlock.ts';
import { type GuardianOrder, type GuardianReport } from '../../session/guardian-wire.ts';
import { TreeEnding } from '../../session/tree-ending.ts';
import { followDescriptor, writeAll } from './channel.ts';
import { type PreparedLaunch, prepareCommand, prepareToLaunch } from './launched-process.ts';
import { createProcessTree } from './process-tree.ts';
import { createLinuxSignals } from './signals.ts';
import { readSymbolicLink } from './small-files.ts';
import { takeOnSettings } from './terminal-settings.ts';
import { mediate } from './thread-mediation.ts';

/** The channel to the supervisor. */
const CHANNEL = 3;
const SIGKILL = 9;
const EXIT_FAILED = 1;
const OWN_TERMINAL = '/proc/self/fd/0';
const TERMINAL_REGEXP = /^\/dev\/pts\/\d+$/;

/**
 * The guardian role: leads the session on the command's terminal and is the command's parent, so that its process
 * group is not orphaned and can be stopped from the keyboard; outlives the supervisor for as long as it takes
 * to end the tree.
 */
export function runGuardian(): void {
  const tree = createProcessTree(() => guardian.commandPid());
  const guardian = new Guardian(tree);
  guardian.listen();
  prepareToLaunch();
}

class Guardian {
  readonly #ending: TreeEnding;
  readonly #signals = createLinuxSignals();
  #child: LaunchedProcess | undefined;
  #isOver = false;
  #stopSignal: number | null = null;
  #mediating: Mediating | undefined;
  #prepared: PreparedLaunch | undefined;

  constructor(tree: ProcessTree) {
    this.#ending = new TreeEnding(tree);
    void this.#ending.gone.then(() => process.exit(0));
  }

  /** Until it has been waited for. */
  commandPid(): number | undefined {
    return this.#isOver ? undefined : this.#child?.pid;
  }

  listen(): void {
    // Its own signals are those of the terminal that it leads; the tree is ended on the supervisor's word alone.
    this.#signals.watch({ onSignal: () => undefined, onChild: () => this.#lookAtChildren() });
    const lines = new LineReader<GuardianOrder>('the supervisor');
    followDescriptor(CHANNEL, (data) => {
      // The supervisor is gone: nothing of the tree may outlive it.
      if (data.length === 0) this.#end(0);
      for (const order of lines.push(data)) this.#obey(order);
    });
  }

  #end(graceMs: number): void {
    if (this.#child === undefined) this.#isWithout({ code: null, signal: SIGKILL });
    else this.#ending.end(graceMs);
  }

  /** There is no command any more, or none came to be. */
  #isWithout(exit: ProcessExit): void {
    this.#isOver = true;
    const refused = this.#mediating?.refusals() ?? [];
    this.#report({ kind: 'ended', exit, refused: Buffer.from(refused).toString('base64') });
    this.#ending.commandEnded();
  }

  async #followCommand(child: LaunchedProcess): Promise<void> {
    this.#isWithout(await child.exited);
  }

  #prepare(launch: Launch): void {
    const { mediation, asks } = launch;
    const onQuestions = (data: Uint8Array): void => this.#report({ kind: 'asked', data: Buffer.from(data).toString('base64') });
    if (mediation !== null) this.#mediating = mediate(mediation, asks === true ? onQuestions : undefined);
    const options = { takesTerminal: true, listener: this.#mediating };
    const landlock = withOwnTerminal(launch.landlock);
    this.#prepared = prepareCommand({ ...launch, landlock, supervisorPid: process.pid }, options);
  }

  #launch(): void {
    const launched = this.#prepared?.start();
    if (launched === undefined) throw new TypeError('Expected a launch that was prepared');
    this.#prepared = undefined;
    if ('step' in launched) {
      this.#report({ kind: 'failed', failure: launched });
      this.#isWithout({ code: EXIT_FAILED, signal: null });
      return;
    }
    this.#child = launched;
    this.#report({ kind: 'started', pid: launched.pid });
    void this.#followCommand(launched);
    this.#lookAtChildren();
  }

  #obey(order: GuardianOrder): void {
    switch (order.kind) {
      case 'prepare':
        this.#prepare(order.launch);
        return;
      case 'launch':
        if (order.terminal !== null) takeOnSettings(order.terminal);
        this.#launch();
        return;
      case 'end':
        this.#end(order.graceMs);
        return;
      case 'signal':
        this.#signal(order.signal);
        return;
      case 'answer':
        this.#mediating?.answer(Buffer.from(order.data, 'base64'));
    }
  }

  #signal(signal: number): void {
    if (this.#child === undefined) return;
    const group = this.#signals.groupOf(this.#child.pid);
    const foreground = this.#signals.foregroundGroup();
    if (foreground !== undefined && foreground > 1) this.#signals.send(-foreground, signal);
    if (group !== undefined && group !== foreground) this.#signals.send(-group, signal);
  }

  #lookAtChildren(): void {
    if (!this.#isOver && this.#child !== undefined) {
      const signal = this.#signals.stopSignal(this.#child.pid) ?? null;
      if (signal !== this.#stopSignal) {
        this.#stopSignal = signal;
        this.#report({ kind: 'stopped', signal });
      }
    }
    this.#child?.look();
    this.#ending.look();
  }

  #report(report: GuardianReport): void {
    writeAll(CHANNEL, encodeLine(report));
  }
}

/** Programs open by its name what their streams are (/dev/stderr, tty(1)), and nobody knew that name when the plan was made. */
function withOwnTerminal(landlock: LandlockRuleset): LandlockRuleset {
  const path = readSymbolicLink(OWN_TERMINAL);
  if (!TERMINAL_REGEXP.test(path)) return landlock;
  return { ...landlock, rules: [...landlock.rules, terminalRule(path, landlock.handledFs)] };
}
