import { encodeLine, LineReader } from '../../json-lines.ts';
import type { ProcessTree } from '../../ports/process-tree.ts';
import type { StartedProcess } from '../../ports/spawn.ts';
import { decodeLaunchFailure, encodeLaunch, LAUNCHER_ROLE, type Launch } from '../../sandbox/launch.ts';
import { type GuardianOrder, type GuardianReport } from '../../session/guardian-wire.ts';
import { TreeEnding } from '../../session/tree-ending.ts';
import { createBunSpawn } from '../bun/spawn.ts';
import { followDescriptor, writeAll } from './channel.ts';
import { FOREGROUND } from './launcher.ts';
import { mediate } from './mediation.ts';
import { createProcessTree } from './process-tree.ts';
import { createLinuxSignals } from './signals.ts';
import { takeOnSettings } from './terminal-settings.ts';

/** The channel to the supervisor. */
const CHANNEL = 3;
const OWN_EXECUTABLE = '/proc/self/exe';
const LAUNCHER_ENVIRONMENT = { BUN_JSC_useBaselineJIT: '0' };

/**
 * The guardian role: leads the session on the command's terminal and is the command's parent, so that its process
 * group is not orphaned and can be stopped from the keyboard; outlives the supervisor for as long as it takes
 * to end the tree.
 */
export function runGuardian(): void {
  // First, because it takes longest; and before signals are watched, whose dispositions it would inherit.
  const tree = createProcessTree(() => guardian.commandPid());
  const child = createBunSpawn().start({
    file: OWN_EXECUTABLE,
    arguments: [LAUNCHER_ROLE, FOREGROUND],
    environment: LAUNCHER_ENVIRONMENT,
  });
  const guardian = new Guardian(tree, child);
  guardian.listen();
}

class Guardian {
  readonly #ending: TreeEnding;
  readonly #child: StartedProcess;
  readonly #signals = createLinuxSignals();
  #isOver = false;
  #stopSignal: number | null = null;

  constructor(tree: ProcessTree, child: StartedProcess) {
    this.#ending = new TreeEnding(tree);
    void this.#ending.gone.then(() => process.exit(0));
    this.#child = child;
  }

  /** Until it has been waited for. */
  commandPid(): number | undefined {
    return this.#isOver ? undefined : this.#child.pid;
  }

  listen(): void {
    // Its own signals are those of the terminal that it leads; the tree is ended on the supervisor's word alone.
    this.#signals.watch({ onSignal: () => undefined, onChild: () => this.#lookAtChildren() });
    const lines = new LineReader<GuardianOrder>();
    followDescriptor(CHANNEL, (data) => {
      // The supervisor is gone: nothing of the tree may outlive it.
      if (data.length === 0) this.#ending.end(0);
      for (const order of lines.push(data)) this.#obey(order);
    });
    void this.#followCommand();
  }

  async #followCommand(): Promise<void> {
    const exit = await this.#child.exited;
    this.#isOver = true;
    this.#report({ kind: 'ended', exit });
    this.#ending.commandEnded();
  }

  async #launch(launch: Launch): Promise<void> {
    const listener = launch.mediation === null ? undefined : mediate(launch.mediation);
    const answer = await this.#child.exchange(encodeLaunch({ ...launch, supervisorPid: process.pid }), listener);
    const failure = decodeLaunchFailure(answer);
    this.#report(failure === undefined ? { kind: 'started', pid: this.#child.pid } : { kind: 'failed', failure });
  }

  #obey(order: GuardianOrder): void {
    switch (order.kind) {
      case 'launch':
        if (order.terminal !== null) takeOnSettings(order.terminal);
        void this.#launch(order.launch);
        return;
      case 'end':
        this.#ending.end(order.graceMs);
        return;
      case 'signal':
        this.#signal(order.signal);
    }
  }

  #signal(signal: number): void {
    const group = this.#signals.groupOf(this.#child.pid);
    const foreground = this.#signals.foregroundGroup();
    if (foreground !== undefined && foreground > 1) this.#signals.send(-foreground, signal);
    if (group !== undefined && group !== foreground) this.#signals.send(-group, signal);
  }

  #lookAtChildren(): void {
    if (!this.#isOver) {
      const signal = this.#signals.stopSignal(this.#child.pid) ?? null;
      if (signal !== this.#stopSignal) {
        this.#stopSignal = signal;
        this.#report({ kind: 'stopped', signal });
      }
    }
    this.#ending.look();
  }

  #report(report: GuardianReport): void {
    writeAll(CHANNEL, encodeLine(report));
  }
}
