import { createNodeHash } from '../../src/platform/node/hash.ts';
import { describeHashContract } from './hash.contract.ts';

describeHashContract('node', createNodeHash());
