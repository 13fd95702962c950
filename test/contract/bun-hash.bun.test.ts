import { createBunHash } from '../../src/platform/bun/hash.ts';
import { describeHashContract } from './hash.contract.ts';

describeHashContract('bun', createBunHash());
