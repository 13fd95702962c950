import { FFIType } from 'bun:ffi';
import { compileC } from '../compile-c.ts';
import base from './base.c' with { type: 'text' };
import caller from './caller.c' with { type: 'text' };
import { mediatorDefinitions } from './calls.ts';
import loop from './loop.c' with { type: 'text' };
import metadata from './metadata.c' with { type: 'text' };
import sockets from './sockets.c' with { type: 'text' };

/** @param arguments Address of `struct arguments` of loop.c. @returns where the mediator begins. */
export type PrepareMediator = (argumentsAddress: number) => number;

/** Compiles the mediator: 5 ms. */
export function compileMediator(): PrepareMediator {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const source = [mediatorDefinitions(architecture), base, caller, metadata, sockets, loop].join('');
  const symbols = compileC('mediator.c', source, {
    mediator_prepare: { args: [FFIType.i64_fast], returns: FFIType.i64_fast },
  });
  return (argumentsAddress) => Number(symbols.mediator_prepare(argumentsAddress));
}
