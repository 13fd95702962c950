// Run by bun: prints the machine code that is built into the executable, for the machine that this runs on.

import { compileBulkFilesOnce } from '../../src/platform/linux/bulk-files.ts';
import { encodeImage, imageOf } from '../../src/platform/linux/code-image.ts';
import { compileSyncOnce } from '../../src/platform/linux/disk-sync/load.ts';
import { compileLaunchOnce } from '../../src/platform/linux/launch/load.ts';
import { compileMediatorOnce } from '../../src/platform/linux/mediator/compile.ts';
import { compileRelayOnce } from '../../src/platform/linux/relay/load.ts';

/** What depends on the place is found by comparing; three places, so that a difference of two is not taken for chance. */
const PLACES = 3;

const compiled = {
  NONO_LAUNCH_IMAGE: compileLaunchOnce,
  NONO_MEDIATOR_IMAGE: compileMediatorOnce,
  NONO_BULK_FILES_IMAGE: compileBulkFilesOnce,
  NONO_RELAY_IMAGE: compileRelayOnce,
  NONO_SYNC_IMAGE: compileSyncOnce,
};
const images = Object.entries(compiled).map(([name, compile]) => [
  name,
  encodeImage(imageOf(Array.from({ length: PLACES }, () => compile()))),
]);
await Bun.write(Bun.stdout, JSON.stringify(Object.fromEntries(images)));
