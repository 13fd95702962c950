import { createLinuxFiles } from '../../src/platform/linux/files.ts';
import { describeDirectoryChanges } from './directory-changes.contract.ts';
import { describeFilesContract } from './files.contract.ts';
import { describeNewFilesContract } from './new-files.contract.ts';

describeFilesContract('linux', createLinuxFiles);
describeDirectoryChanges('linux', createLinuxFiles);
describeNewFilesContract('linux', createLinuxFiles);

const createBulkFiles = () => createLinuxFiles({ bulkFromEntries: 0 });
describeFilesContract('linux in bulk', createBulkFiles);
describeDirectoryChanges('linux in bulk', createBulkFiles);
