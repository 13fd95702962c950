// What the command line is made of, for main.ts alone: loaded in one go.

export { runCli } from '../cli.ts';
export { describeFailure, EXIT, NonoError } from '../errors.ts';
export { createContext, rawArguments } from './host.ts';
