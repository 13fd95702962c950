import type { OptionSpec } from './spec.ts';

export const HELP_OPTION: OptionSpec = { name: 'help', short: 'h', arity: 'flag', help: 'Show this help' };
export const JSON_OPTION: OptionSpec = { name: 'json', arity: 'flag', help: 'Print one JSON document' };
