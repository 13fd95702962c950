import type { LoadedCode, PlacedCode } from '../code-image.ts';
import { codeMappingOf, compilePlaced, placedCode } from '../placed-code.ts';
import ask from './ask.c' with { type: 'text' };
import asked from './asked.c' with { type: 'text' };
import base from './base.c' with { type: 'text' };
import caller from './caller.c' with { type: 'text' };
import { mediatorDefinitions } from './calls.ts';
import carryOut from './carry-out.c' with { type: 'text' };
import loop from './loop.c' with { type: 'text' };
import main from './main.c' with { type: 'text' };
import metadata from './metadata.c' with { type: 'text' };
import open from './open.c' with { type: 'text' };
import paths from './paths.c' with { type: 'text' };
import pending from './pending.c' with { type: 'text' };
import refused from './refused.c' with { type: 'text' };
import sends from './sends.c' with { type: 'text' };
import signals from './signals.c' with { type: 'text' };
import sockets from './sockets.c' with { type: 'text' };
import terminals from './terminals.c' with { type: 'text' };

/** Behind the last of the mediator's data, for what a compiler puts there. */
const MARGIN_BYTES = 16 * 1024;
const PAGE_BYTES = 4096;

/** Compiles the mediator here and now: 5 ms. */
export function compileMediator(): LoadedCode {
  const { entry, end } = compile();
  return { entry, from: codeMappingOf(entry).from, end: Math.ceil((end + MARGIN_BYTES) / PAGE_BYTES) * PAGE_BYTES };
}

/** The same as it stands in memory, for the build. */
export function compileMediatorOnce(): PlacedCode {
  return placedCode(compile());
}

function compile() {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64';
  const source = [
    mediatorDefinitions(architecture),
    base,
    caller,
    paths,
    refused,
    metadata,
    pending,
    sockets,
    sends,
    signals,
    terminals,
    asked,
    carryOut,
    ask,
    open,
    loop,
    main,
  ].join('');
  return compilePlaced('mediator', 'mediator_prepare', source);
}
