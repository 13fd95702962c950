import { createNodeFiles } from '../../src/platform/node/files.ts';
import { describeDirectoryChanges } from './directory-changes.contract.ts';
import { describeFilesContract } from './files.contract.ts';
import { describeLocksContract } from './locks.contract.ts';
import { describeNewFilesContract } from './new-files.contract.ts';

describeFilesContract('node', createNodeFiles);
describeDirectoryChanges('node', createNodeFiles);
describeLocksContract('node', createNodeFiles);
describeNewFilesContract('node', createNodeFiles);
