import { type Bytes, cString } from '../../bytes.ts';
import type { Launch, LaunchFailure } from '../../sandbox/launch.ts';
import type { Pins } from './pins.ts';
import { errnoName, trySyscall } from './syscalls.ts';

/** What runs a file that has no format of its own, as execvp(3) does. */
const SHELL = '/bin/sh' as Bytes;

/** Errors that make execvp(3) look on: there may be a usable file further down PATH. */
const LOOK_ON: readonly string[] = ['EACCES', 'ENOENT', 'ENOTDIR', 'ENODEV', 'ETIMEDOUT', 'ESTALE'];

/** Tries each candidate. @returns why the last that mattered failed; a refusal outweighs an absence. */
export function execute({ executables, command, environment }: Launch, pins: Pins): LaunchFailure {
  const environmentAddress = pins.vector(environment);
  const commandAddress = pins.vector(command);
  const attempt = (path: Bytes, argumentsAddress: number): string =>
    errnoName(-trySyscall('execve', pins.address(cString(path)), argumentsAddress, environmentAddress));

  let failure: LaunchFailure = { step: 'execute', errno: 'ENOENT' };
  for (const path of executables) {
    let errno = attempt(path, commandAddress);
    if (errno === 'ENOEXEC') errno = attempt(SHELL, pins.vector([SHELL, path, ...command.slice(1)]));
    if (failure.path === undefined || errno !== 'ENOENT') failure = { step: 'execute', errno, path };
    if (!LOOK_ON.includes(errno)) break;
  }
  return failure;
}
