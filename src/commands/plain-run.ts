import { type Bytes } from '../bytes.ts';
import type { Config } from '../config/schema.ts';
import type { Directory } from '../ports/files.ts';
import type { Exclusions } from '../rollback/rules.ts';
import type { Confinement } from './confinement.ts';
import type { Context, ParentAdapters, SandboxAdapters } from './context.ts';

/** Everything of one run that its steps share. */
export interface PlainRun {
  readonly context: Context;
  readonly adapters: SandboxAdapters;
  readonly parent: ParentAdapters;
  readonly stateDirectory: Directory;
  readonly sessions: Directory;
  readonly names: Directory;
  readonly temporaryDirectory: Bytes;
  readonly confinement: Confinement;
  readonly id: string;
  readonly chosenName: string | undefined;
  /** Undefined without snapshots. */
  readonly exclusions: Exclusions | undefined;
  readonly asksForReview: boolean;
  readonly checkpointEveryMs: number | undefined;
  /** The command waits for the disk, however long. */
  readonly isDurable: boolean;
  readonly config: Config | undefined;
  /** How long a question waits. */
  readonly askTimeoutMs: number;
}
