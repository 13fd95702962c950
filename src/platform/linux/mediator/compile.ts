import { cc, FFIType } from 'bun:ffi';
import { writeAll } from '../channel.ts';
import { addressOf, syscall } from '../syscalls.ts';
import base from './base.c' with { type: 'text' };
import caller from './caller.c' with { type: 'text' };
import { mediatorDefinitions } from './calls.ts';
import loop from './loop.c' with { type: 'text' };
import metadata from './metadata.c' with { type: 'text' };
import sockets from './sockets.c' with { type: 'text' };

/** include/uapi/linux/memfd.h */
const MFD_CLOEXEC = 1;

/** @param arguments Address of `struct arguments` of loop.c. @returns where the mediator begins. */
export type PrepareMediator = (argumentsAddress: number) => number;

/** Compiles the mediator, by the compiler that is in the runtime (bun:ffi): 5 ms. What it makes is never freed. */
export function compileMediator(): PrepareMediator {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const source = Buffer.from([mediatorDefinitions(architecture), base, caller, metadata, sockets, loop].join(''), 'utf8');
  const name = Buffer.from('mediator.c\0');
  const file = syscall('memfd_create', addressOf(name), MFD_CLOEXEC);
  try {
    writeAll(file, source);
    const { symbols } = cc({
      source: `/proc/self/fd/${file}`,
      // Neither headers nor libraries: it uses none, and none need be there.
      flags: ['-nostdlib', '-nostdinc', '-xc'],
      symbols: { mediator_prepare: { args: [FFIType.i64_fast], returns: FFIType.i64_fast } },
    });
    return (argumentsAddress) => Number(symbols.mediator_prepare(argumentsAddress));
  } finally {
    syscall('close', file);
  }
}
