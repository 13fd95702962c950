import { describePathFactsContract } from './path-facts.contract.ts';

describePathFactsContract('linux', async () => (await import('../../src/platform/linux/path-facts.ts')).createLinuxPathFacts());
