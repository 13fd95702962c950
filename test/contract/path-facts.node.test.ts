import { createNodePathFacts } from '../../src/platform/node/path-facts.ts';
import { describePathFactsContract } from './path-facts.contract.ts';

describePathFactsContract('node', async () => createNodePathFacts());
