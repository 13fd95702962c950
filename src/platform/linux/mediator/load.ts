import { type LoadedCode, loadImage } from '../code-image.ts';
import { callAt } from '../launch/load.ts';
import { compileMediator } from './compile.ts';

/** Replaced where an x64 builds for x64: encodeImage() of the mediator. */
declare const NONO_MEDIATOR_IMAGE: string | undefined;

export interface MediatorCode extends Pick<LoadedCode, 'from' | 'end'> {
  /** @param argumentsAddress Of `struct arguments` of main.c. @returns where the thread or the process between begins. */
  prepare(argumentsAddress: number): number;
}

let loaded: MediatorCode | undefined;

/** Once for the whole process. From what the build has compiled, which takes 0.1 ms; else compiled here and now, which takes 5. */
export function loadMediator(): MediatorCode {
  loaded ??= load();
  return loaded;
}

function load(): MediatorCode {
  const { entry, from, end } = typeof NONO_MEDIATOR_IMAGE === 'string' ? loadImage(NONO_MEDIATOR_IMAGE) : compileMediator();
  return { from, end, prepare: (argumentsAddress) => callAt(entry, argumentsAddress) };
}
