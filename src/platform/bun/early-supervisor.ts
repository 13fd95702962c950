import { SUPERVISOR_PROCESS } from '../../session/supervisor-process.ts';
import { startEarly } from './background.ts';

/** Before the command line is read: a supervisor takes as long to start as all that has to be found out for it. */
export function startSupervisorEarly(): void {
  startEarly(SUPERVISOR_PROCESS);
}
