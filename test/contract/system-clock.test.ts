import { createSystemClock } from '../../src/platform/system-clock.ts';
import { describeClockContract } from './clock.contract.ts';

describeClockContract('system', createSystemClock());
