import { createLinuxFiles } from '../../src/platform/linux/files.ts';
import { describeDirectoryChanges } from './directory-changes.contract.ts';
import { describeFilesContract } from './files.contract.ts';

describeFilesContract('linux', createLinuxFiles);
describeDirectoryChanges('linux', createLinuxFiles);
