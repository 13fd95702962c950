import type { Bytes } from '../bytes.ts';
import { launchError } from '../sandbox/sandbox-error.ts';
import { makeSessionId } from '../session/names.ts';
import {
  createTemporaryDirectory,
  isSweepDue,
  sweepTemporaryDirectories,
  temporaryDirectoryPath,
} from '../session/temporary-directory.ts';
import { confine } from './confinement.ts';
import type { Context } from './context.ts';
import { makeMissing } from './make-missing.ts';
import { refuseJson } from './refuse-json.ts';
import type { CommandResult, ParsedCall } from './spec.ts';

/** Of a namespace of processes. */
export const FIRST_PID = 1;

/** Confines this very process and becomes the command; returns only by throwing. */
export async function execute(call: ParsedCall, context: Context): Promise<CommandResult> {
  if (call.flags.has('dry-run')) return (await import('./policy/dry-run.ts')).dryRun(call, context);
  refuseJson(call);
  const { files, randomHex, uid } = context;
  const adapters = await context.loadSandbox();
  const { host } = adapters;
  // The first process of a container becomes the parent of each that has lost its own: a command in its place would have the mediator for a child, and wait
  // for it for ever where it waits for all.
  const staysParent = !host.isMediated() && (context.pid === FIRST_PID || !host.mediatesFromOutside());
  // The process stays the same when it becomes the command: the directory is swept once that one has ended.
  const self = adapters.processes.self();
  const temporaryDirectory = temporaryDirectoryPath(context, makeSessionId(randomHex), self);
  const { launch, plan } = await confine(call, context, adapters, {
    temporaryDirectory,
    setVariables: new Map(),
    // Nobody stays who could ask.
    canAsk: false,
  });
  if (isSweepDue(randomHex)) sweepTemporaryDirectories(files, adapters.processes, uid);
  makeMissing(context, plan);
  createTemporaryDirectory(files, temporaryDirectory);
  if (staysParent) {
    const { wrapAsParent } = await import('./wrap-as-parent.ts');
    return await wrapAsParent(launch, await context.loadParent(), context.pid);
  }
  const instructions = launch(0);
  const handOver = instructions.mediation === null ? () => undefined : host.startMediator(instructions.mediation);
  // When it returns this process may be confined already and remove nothing: the next sweep will.
  throw launchError(host.become(instructions, handOver), call.commandLine[0] as Bytes);
}
