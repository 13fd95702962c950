import type { SessionStatus } from './record.ts';

/** What becomes of the command of a session. */
export type LifecycleEvent = 'executed' | 'stopped' | 'continued' | 'ended';

/** The life of a session as its supervisor writes it down (PROTOCOL.md); what no row has changes nothing: nothing comes after the end. */
export const LIFECYCLE: Readonly<Record<SessionStatus, Partial<Record<LifecycleEvent, SessionStatus>>>> = {
  starting: { executed: 'running', ended: 'exited' },
  running: { stopped: 'paused', ended: 'exited' },
  paused: { continued: 'running', ended: 'exited' },
  exited: {},
};
