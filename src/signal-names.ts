/** What shells add to the number of the signal that ended a command. */
export const SIGNAL_EXIT_BASE = 128;

/** Signal numbers of Linux on x64 and arm64 (include/uapi/asm-generic/signal.h). */
const NAMES: readonly string[] = [
  '',
  'HUP',
  'INT',
  'QUIT',
  'ILL',
  'TRAP',
  'ABRT',
  'BUS',
  'FPE',
  'KILL',
  'USR1',
  'SEGV',
  'USR2',
  'PIPE',
  'ALRM',
  'TERM',
  'STKFLT',
  'CHLD',
  'CONT',
  'STOP',
  'TSTP',
  'TTIN',
  'TTOU',
  'URG',
  'XCPU',
  'XFSZ',
  'VTALRM',
  'PROF',
  'WINCH',
  'IO',
  'PWR',
  'SYS',
];

/** "SIGTERM" for 15; "SIG34" for a real-time signal. */
export function signalName(signal: number): string {
  const name = NAMES[signal];
  return name === undefined || name === '' ? `SIG${signal}` : `SIG${name}`;
}

/** 15 for "SIGTERM"; 0 for a name that is none. */
export function signalNumber(name: string): number {
  return Math.max(0, NAMES.indexOf(name.slice('SIG'.length)));
}
