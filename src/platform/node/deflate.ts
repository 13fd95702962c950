import { constants, deflateRawSync } from 'node:zlib';
import type { Deflate } from '../../ports/deflate.ts';

/** A sync flush ends each piece at a byte and leaves the stream open. */
export const deflate: Deflate = (piece) => deflateRawSync(piece, { finishFlush: constants.Z_SYNC_FLUSH });
