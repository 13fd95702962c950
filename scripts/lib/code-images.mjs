// Run by bun: prints the machine code that is built into the executable, for the machine that this runs on.

import { encodeImage, imageOf } from '../../src/platform/linux/code-image.ts';
import { compileLaunchOnce } from '../../src/platform/linux/launch/load.ts';
import { compileMediatorOnce } from '../../src/platform/linux/mediator/compile.ts';

/** What depends on the place is found by comparing; three places, so that a difference of two is not taken for chance. */
const PLACES = 3;

const images = Object.entries({ NONO_LAUNCH_IMAGE: compileLaunchOnce, NONO_MEDIATOR_IMAGE: compileMediatorOnce }).map(
  ([name, compile]) => [name, encodeImage(imageOf(Array.from({ length: PLACES }, () => compile())))],
);
await Bun.write(Bun.stdout, JSON.stringify(Object.fromEntries(images)));
